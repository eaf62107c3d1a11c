package main

import (
	"fmt"
	"time"
)

func main() {
	d := time.Date(2024, 2, 28, 0, 0, 0, 0, time.UTC)
	fmt.Println(d.AddDate(0, 0, 2).Format("Jan 2"), d.Weekday(), d.Add(25*time.Hour).Day(), 90*time.Second, time.Duration(1.5*float64(time.Second)))

}

// Output:
// Mar 1 Wednesday 29 1m30s 1.5s
