package runs

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// row is a metric's value in an export.
type row struct {
	Run    string  `parquet:"run,dict" json:"run"`
	Name   string  `parquet:"name,dict" json:"name"`
	Metric string  `parquet:"metric,dict" json:"metric"`
	Step   int64   `parquet:"step" json:"step"`
	Value  float64 `parquet:"value" json:"value"`
}

// rows calls f for every value of every metric of runs, by run, metric and step.
func (s *Store) rows(rs []*Run, f func(row) error) error {
	for _, r := range rs {
		names, err := s.Metrics(r.ID)
		if err != nil {
			return err
		}
		for _, n := range names {
			curve, err := s.Curve(r.ID, n)
			if err != nil {
				return err
			}
			for _, p := range curve {
				if err := f(row{r.ID, r.Name, n, int64(p.Step), p.Value}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// WriteCSV writes the metrics of runs as comma-separated values with a line of names: run, name, metric, step, value.
// Numbers are read back to the same bits.
func (s *Store) WriteCSV(w io.Writer, rs []*Run) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"run", "name", "metric", "step", "value"}); err != nil {
		return err
	}
	if err := s.rows(rs, func(x row) error {
		return c.Write([]string{x.Run, x.Name, x.Metric, strconv.FormatInt(x.Step, 10), strconv.FormatFloat(x.Value, 'g', -1, 64)})
	}); err != nil {
		return err
	}
	c.Flush()
	return c.Error()
}

// WriteParquet writes the same columns as WriteCSV as a Parquet file.
func (s *Store) WriteParquet(w io.Writer, rs []*Run) error {
	p := parquet.NewGenericWriter[row](w, parquet.Compression(&parquet.Zstd))
	if err := s.rows(rs, func(x row) error {
		_, err := p.Write([]row{x})
		return err
	}); err != nil {
		return err
	}
	return p.Close()
}

// WriteJSON writes runs with their inputs, state, metrics and samples as a JSON list.
func (s *Store) WriteJSON(w io.Writer, rs []*Run) error {
	type full struct {
		*Run
		Metrics map[string][]Point `json:"metrics"`
		Samples []Sample           `json:"samples"`
	}
	out := make([]full, 0, len(rs))
	for _, r := range rs {
		x := full{Run: r, Metrics: map[string][]Point{}, Samples: []Sample{}}
		names, err := s.Metrics(r.ID)
		if err != nil {
			return err
		}
		for _, n := range names {
			if x.Metrics[n], err = s.Curve(r.ID, n); err != nil {
				return err
			}
		}
		samples, err := s.Samples(r.ID)
		if err != nil {
			return err
		}
		x.Samples = append(x.Samples, samples...)
		out = append(out, x)
	}
	b, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("runs: %w", err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}
