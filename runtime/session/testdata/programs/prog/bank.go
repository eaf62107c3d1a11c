package main

import (
	"errors"
	"fmt"
)

type Account struct {
	ID      string
	Balance float64
	History []Tx
}
type Tx struct {
	Kind   string
	Amount float64
}
type InsufficientFunds struct{ Need, Have float64 }

func (e *InsufficientFunds) Error() string {
	return fmt.Sprintf("insufficient funds: need %.2f, have %.2f", e.Need, e.Have)
}

type Bank struct{ accounts map[string]*Account }

func (b *Bank) Open(id string, amt float64) (*Account, error) {
	if _, ok := b.accounts[id]; ok {
		return nil, fmt.Errorf("account %q exists", id)
	}
	a := &Account{ID: id, Balance: amt}
	b.accounts[id] = a
	return a, nil
}
func (b *Bank) Transfer(from, to string, amt float64) error {
	f, ok := b.accounts[from]
	if !ok {
		return fmt.Errorf("no account %q", from)
	}
	t, ok := b.accounts[to]
	if !ok {
		return fmt.Errorf("no account %q", to)
	}
	if f.Balance < amt {
		return &InsufficientFunds{amt, f.Balance}
	}
	f.Balance -= amt
	t.Balance += amt
	f.History = append(f.History, Tx{"out", amt})
	t.History = append(t.History, Tx{"in", amt})
	return nil
}
func main() {
	b := &Bank{accounts: make(map[string]*Account)}
	b.Open("a", 100)
	b.Open("b", 50)
	_, err := b.Open("a", 1)
	fmt.Println(err)
	for _, x := range []float64{30, 500} {
		if err := b.Transfer("a", "b", x); err != nil {
			var nf *InsufficientFunds
			if errors.As(err, &nf) {
				fmt.Println("short by", nf.Need-nf.Have)
			}
			fmt.Println(err)
		}
	}
	fmt.Println(b.Transfer("x", "a", 1))
	fmt.Printf("%+v %v\n", *b.accounts["a"], b.accounts["b"].History)

}

// Output:
// account "a" exists
// short by 430
// insufficient funds: need 500.00, have 70.00
// no account "x"
// {ID:a Balance:70 History:[{Kind:out Amount:30}]} [{in 30}]
