package runs

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
)

// Removal is what taking runs out of a store would take with it.
type Removal struct {
	Runs       []*Run // the runs named
	Dependents []*Run // others that were trained from one of their models, or from one of these, and from no other's
	Bytes      int64  // of files that no other run has
}

// Removal tells what removing runs, with all that depends on them or without, would do. A run depends on another when it
// started from the weights that the other, and no run that stays, ended in.
func (s *Store) Removal(ids []string, dependents bool) (*Removal, error) {
	all, err := s.List()
	if err != nil {
		return nil, err
	}
	out := &Removal{}
	going := map[string]bool{}
	for _, id := range ids {
		r, err := s.Find(id)
		if err != nil {
			return nil, err
		}
		if r.Status == Running {
			return nil, fmt.Errorf("runs: %s is running; stop it first", r.ID)
		}
		if !going[r.ID] {
			going[r.ID] = true
			out.Runs = append(out.Runs, r)
		}
	}
	// A model that another run made as well is not lost. Rounds go on until no further run is met.
	for changed := true; changed; {
		changed = false
		made := map[string]bool{} // outputs that are lost
		for _, r := range all {
			if going[r.ID] && r.Output != "" {
				made[r.Output] = true
			}
		}
		for _, r := range all {
			if !going[r.ID] {
				delete(made, r.Output)
			}
		}
		for _, r := range all {
			if !going[r.ID] && made[r.Base] {
				going[r.ID], changed = true, true
				out.Dependents = append(out.Dependents, r)
			}
		}
	}
	leaving := map[string]bool{}
	for _, r := range out.Runs {
		leaving[r.ID] = true
	}
	if dependents {
		for _, r := range out.Dependents {
			if r.Status == Running {
				return nil, fmt.Errorf("runs: %s depends on what is removed and is running; stop it first", r.ID)
			}
			leaving[r.ID] = true
		}
	}
	stays := map[string]bool{}
	for _, r := range all {
		for _, f := range r.Files {
			stays[f.Hash] = stays[f.Hash] || !leaving[r.ID]
		}
	}
	counted := map[string]bool{}
	for _, r := range all {
		for _, f := range r.Files {
			if leaving[r.ID] && !stays[f.Hash] && !counted[f.Hash] {
				counted[f.Hash] = true
				out.Bytes += f.Size
			}
		}
	}
	return out, nil
}

// Remove takes runs and what only they refer to out of the store, and returns the bytes that were freed.
func (s *Store) Remove(ids ...string) (freed int64, err error) {
	err = s.write(func(tx *sql.Tx) error {
		var hashes, folders []string
		for _, id := range ids {
			var identity string
			if err := tx.QueryRow("SELECT identity FROM runs WHERE id = ?", id).Scan(&identity); errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("no run is called %s", id)
			} else if err != nil {
				return err
			}
			folders = append(folders, identity)
			rows, err := tx.Query("SELECT hash FROM files WHERE run = ?", id)
			if err != nil {
				return err
			}
			for rows.Next() {
				var h string
				if err := rows.Scan(&h); err != nil {
					rows.Close()
					return err
				}
				hashes = append(hashes, h)
			}
			if err := rows.Err(); err != nil {
				return err
			}
			if _, err := tx.Exec("DELETE FROM runs WHERE id = ?", id); err != nil {
				return err
			}
		}
		for _, identity := range folders {
			var n int
			if err := tx.QueryRow("SELECT count(*) FROM runs WHERE identity = ?", identity).Scan(&n); err != nil {
				return err
			}
			if n > 0 {
				continue
			}
			_, size := s.Checkpoints(&Run{Identity: identity})
			if err := os.RemoveAll(s.checkpoints(identity)); err != nil {
				return err
			}
			freed += size
		}
		n, err := s.sweep(tx, hashes)
		freed += n
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("runs.Remove: %w", err)
	}
	return freed, nil
}
