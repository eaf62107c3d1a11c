package main

import (
	"fmt"
	"time"
)

func main() {
	d := 90 * time.Minute
	t := time.Date(2024, time.February, 28, 23, 30, 0, 0, time.UTC)
	u := t.Add(d)
	fmt.Println(d, d.Hours(), u, u.Weekday(), u.YearDay(), u.Sub(t), u.After(t), t.Format("2006-01-02 15:04"), t.Month() == time.February)
	p, err := time.Parse(time.RFC3339, "2023-05-06T07:08:09Z")
	fmt.Println(p, err, p.Unix(), t.AddDate(0, 0, 2).Format(time.DateOnly), time.Duration(1500)*time.Millisecond)
	switch t.Weekday() {
	case time.Saturday, time.Sunday:
		fmt.Println("weekend")
	default:
		fmt.Println("weekday", t.Weekday())
	}

}

// Output:
// 1h30m0s 1.5 2024-02-29 01:00:00 +0000 UTC Thursday 60 1h30m0s true 2024-02-28 23:30 true
// 2023-05-06 07:08:09 +0000 UTC <nil> 1683356889 2024-03-01 1.5s
// weekday Wednesday
