package main

import (
	"fmt"
	"sort"
)

type Item struct {
	SKU   string
	Qty   int
	Price float64
}
type Inventory struct {
	items map[string]*Item
	log   []string
}
type Visitor func(*Item) bool

func (inv *Inventory) Add(it Item) *Inventory {
	if inv.items == nil {
		inv.items = map[string]*Item{}
	}
	if e, ok := inv.items[it.SKU]; ok {
		e.Qty += it.Qty
		inv.log = append(inv.log, "update "+it.SKU)
	} else {
		inv.items[it.SKU] = &it
		inv.log = append(inv.log, "add "+it.SKU)
	}
	return inv
}
func (inv Inventory) Each(v Visitor) {
	ks := []string{}
	for k := range inv.items {
		ks = append(ks, k)
	}
	sort.Strings(ks)
	for _, k := range ks {
		if !v(inv.items[k]) {
			return
		}
	}
}
func (inv Inventory) Total() (t float64) {
	inv.Each(func(i *Item) bool { t += float64(i.Qty) * i.Price; return true })
	return
}
func main() {
	var inv Inventory
	inv.Add(Item{"b", 2, 1.5}).Add(Item{"a", 1, 10}).Add(Item{"b", 3, 0})
	fmt.Printf("%.2f %v\n", inv.Total(), inv.log)
	inv.Each(func(i *Item) bool { fmt.Println(*i); return i.SKU != "a" })

}

// Output:
// 17.50 [add b add a update b]
// {a 1 10}
