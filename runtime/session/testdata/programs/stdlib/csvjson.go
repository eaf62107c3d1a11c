package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

type Rec struct {
	Name  string   `json:"name"`
	Score float64  `json:"score"`
	Tags  []string `json:"tags,omitempty"`
}

func main() {
	r := csv.NewReader(strings.NewReader("name,score,tags\nann,1.5,a;b\nbob,x,\n"))
	rows, _ := r.ReadAll()
	var recs []Rec
	for i, row := range rows[1:] {
		s, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			fmt.Printf("row %d: %v\n", i+1, err)
			continue
		}
		rec := Rec{Name: row[0], Score: s}
		if row[2] != "" {
			rec.Tags = strings.Split(row[2], ";")
		}
		recs = append(recs, rec)
	}
	b, _ := json.MarshalIndent(recs, "", "  ")
	fmt.Println(string(b))
	var back []map[string]any
	json.Unmarshal(b, &back)
	fmt.Println(back[0]["name"], back[0]["score"], len(back[0]["tags"].([]any)))

}

// Output:
// row 2: strconv.ParseFloat: parsing "x": invalid syntax
// [
//   {
//     "name": "ann",
//     "score": 1.5,
//     "tags": [
//       "a",
//       "b"
//     ]
//   }
// ]
// ann 1.5 2
