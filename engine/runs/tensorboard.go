package runs

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"sort"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"tunebook/engine/weights"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is TFRecord's checksum: CRC-32C turned right by 15 bits, plus a constant, so that the checksum of data that holds
// checksums is still one.
func masked(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// writeRecord writes one TFRecord: the length (8 bytes) and its checksum, the data and its checksum, all little-endian.
func writeRecord(w io.Writer, data []byte) error {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, masked(b))
	b = append(b, data...)
	b = binary.LittleEndian.AppendUint32(b, masked(data))
	_, err := w.Write(b)
	return err
}

// event returns an Event message: wall_time (1), step (2), and either file_version (3) or a summary (5) of scalars, each a
// value (1) of tag (1) and simple_value (2). Source: TensorFlow's event.proto and summary.proto.
func event(at time.Time, step int, version string, scalars []scalar) []byte {
	b := protowire.AppendTag(nil, 1, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(float64(at.UnixMicro())/1e6))
	b = protowire.AppendTag(b, 2, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(step))
	if version != "" {
		b = protowire.AppendTag(b, 3, protowire.BytesType)
		return protowire.AppendString(b, version)
	}
	var summary []byte
	for _, s := range scalars {
		v := protowire.AppendTag(nil, 1, protowire.BytesType)
		v = protowire.AppendString(v, s.tag)
		v = protowire.AppendTag(v, 2, protowire.Fixed32Type)
		v = protowire.AppendFixed32(v, math.Float32bits(float32(s.value)))
		summary = protowire.AppendTag(summary, 1, protowire.BytesType)
		summary = protowire.AppendBytes(summary, v)
	}
	b = protowire.AppendTag(b, 5, protowire.BytesType)
	return protowire.AppendBytes(b, summary)
}

type scalar struct {
	tag   string
	value float64
}

// WriteEvents writes a run's metrics as a TensorBoard event file. Every event carries the run's start, moved on by the
// time that training had taken at its step where the run has it (metric "seconds").
func (s *Store) WriteEvents(w io.Writer, r *Run) error {
	names, err := s.Metrics(r.ID)
	if err != nil {
		return err
	}
	bySteps, seconds := map[int][]scalar{}, map[int]float64{}
	for _, n := range names {
		curve, err := s.Curve(r.ID, n)
		if err != nil {
			return err
		}
		for _, p := range curve {
			if n == "seconds" {
				seconds[p.Step] = p.Value
			}
			bySteps[p.Step] = append(bySteps[p.Step], scalar{n, p.Value})
		}
	}
	steps := make([]int, 0, len(bySteps))
	for step := range bySteps {
		steps = append(steps, step)
	}
	sort.Ints(steps)
	if err := writeRecord(w, event(r.Started, 0, "brain.Event:2", nil)); err != nil {
		return err
	}
	for _, step := range steps {
		at := r.Started.Add(time.Duration(seconds[step] * float64(time.Second)))
		if err := writeRecord(w, event(at, step, "", bySteps[step])); err != nil {
			return err
		}
	}
	return nil
}

// ExportTensorBoard writes a folder for TensorBoard: one folder a run, named by its ID, with one event file.
func (s *Store) ExportTensorBoard(dir string, rs []*Run) (paths []string, err error) {
	for _, r := range rs {
		path := filepath.Join(dir, r.ID, fmt.Sprintf("events.out.tfevents.%010d.tunebook", r.Started.Unix()))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return paths, err
		}
		if err := weights.AtomicWrite(path, func(w io.Writer) error { return s.WriteEvents(w, r) }); err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}
