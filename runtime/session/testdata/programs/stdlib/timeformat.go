package main

import (
	"fmt"
	"time"
)

func main() {
	t := time.Date(2023, 11, 5, 14, 7, 9, 123456789, time.UTC)
	fmt.Println(t.Format("Jan 2, 2006 at 3:04pm (MST)"), t.Format(time.RFC1123), t.Format("06/01/02 15h"), t.Format(time.RFC3339Nano))
	fmt.Println(t.Truncate(time.Hour), t.Unix(), t.UnixMilli(), t.Month(), int(t.Month()))
	d, err := time.ParseDuration("1h15m30.5s")
	fmt.Println(d, err, d.Minutes(), d.Round(time.Minute), d.Truncate(time.Hour))
	_, err = time.ParseDuration("x")
	fmt.Println(err)
	_, err = time.Parse("2006-01-02", "2023-13-01")
	fmt.Println(err)
	u := t.Add(36 * time.Hour)
	fmt.Println(u.Sub(t), u.Before(t), t.Equal(t.In(time.FixedZone("X", 3600))), t.In(time.FixedZone("X", 3600)))
	y, m, dd := t.Date()
	h, mi, s := t.Clock()
	fmt.Println(y, m, dd, h, mi, s)
	fmt.Println(time.Duration(0), 2*time.Second+300*time.Millisecond, time.Duration(1234567890), time.Time{}.IsZero())

}

// Output:
// Nov 5, 2023 at 2:07pm (UTC) Sun, 05 Nov 2023 14:07:09 UTC 23/11/05 14h 2023-11-05T14:07:09.123456789Z
// 2023-11-05 14:00:00 +0000 UTC 1699193229 1699193229123 November 11
// 1h15m30.5s <nil> 75.50833333333334 1h16m0s 1h0m0s
// time: invalid duration "x"
// parsing time "2023-13-01": month out of range
// 36h0m0s false true 2023-11-05 15:07:09.123456789 +0100 X
// 2023 November 5 14 7 9
// 0s 2.3s 1.23456789s true
