package main

import (
	"fmt"
)

type Animal struct{ Name string }

func (a Animal) Speak() string    { return a.Name + " speaks" }
func (a *Animal) Rename(n string) { a.Name = n }

type Dog struct {
	Animal
	Breed string
}

func (d Dog) Speak() string { return d.Name + " barks, " + d.Animal.Speak() }

type Puppy struct {
	*Dog
	Age int
}

func main() {
	d := Dog{Animal{"Rex"}, "lab"}
	d.Rename("Max")
	fmt.Println(d.Speak(), d.Name, d)
	p := Puppy{&d, 1}
	p.Rename("Pip")
	fmt.Println(p.Speak(), d.Name, p.Breed, p.Dog.Animal.Name)
	fmt.Printf("%+v\n", d)

}

// Output:
// Max barks, Max speaks Max {{Max} lab}
// Pip barks, Pip speaks Pip lab Pip
// {Animal:{Name:Pip} Breed:lab}
