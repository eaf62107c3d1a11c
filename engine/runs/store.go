// Package runs keeps what was trained: a store is a folder with a SQLite index (runs.db) and content-addressed files
// (objects/ab/cdef…, named by their SHA-256). Several processes may use one store at once.
//
// A run has an identity, the hash of its inputs: starting weights, data, configuration and code. The same run asked for
// again is found by it. What a run has done is written while it goes on, and its state is judged when it is read: a run
// whose process is gone is not running, whatever the index says.
package runs

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"tunebook/engine/weights"
)

// Store is an open store. Its methods may be called from any goroutine.
type Store struct {
	Dir string
	db  *sql.DB
}

const indexName = "runs.db"

// version is the schema's. It is kept in the index as user_version.
const version = 1

// A run's times are milliseconds since 1970, UTC.
const schema = `
CREATE TABLE runs (
	id TEXT PRIMARY KEY,
	identity TEXT NOT NULL,
	name TEXT NOT NULL,
	base TEXT NOT NULL,
	base_name TEXT NOT NULL,
	data TEXT NOT NULL,
	code TEXT NOT NULL,
	config TEXT NOT NULL,
	manifest TEXT NOT NULL,
	notebook TEXT NOT NULL,
	git TEXT NOT NULL,
	system TEXT NOT NULL,
	status TEXT NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'interrupted')),
	started INTEGER NOT NULL,
	ended INTEGER NOT NULL DEFAULT 0,
	beat INTEGER NOT NULL,
	process TEXT NOT NULL,
	step INTEGER NOT NULL DEFAULT 0,
	total INTEGER NOT NULL DEFAULT 0,
	loss REAL,
	norm REAL,
	message TEXT NOT NULL DEFAULT '',
	output TEXT NOT NULL DEFAULT '',
	tokens INTEGER NOT NULL DEFAULT 0,
	seconds REAL NOT NULL DEFAULT 0,
	used INTEGER NOT NULL DEFAULT 0,
	reused INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX runs_identity ON runs (identity);
CREATE INDEX runs_base ON runs (base);
CREATE INDEX runs_output ON runs (output);
CREATE TABLE files (
	run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
	role TEXT NOT NULL,
	hash TEXT NOT NULL,
	size INTEGER NOT NULL,
	PRIMARY KEY (run, role)
);
CREATE INDEX files_hash ON files (hash);
CREATE TABLE metrics (
	run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	step INTEGER NOT NULL,
	value REAL NOT NULL,
	PRIMARY KEY (run, name, step)
) WITHOUT ROWID;
CREATE TABLE samples (
	run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
	step INTEGER NOT NULL,
	n INTEGER NOT NULL,
	prompt TEXT NOT NULL,
	output TEXT NOT NULL,
	PRIMARY KEY (run, step, n)
) WITHOUT ROWID;
`

// Open opens the store in a folder, which is made when it is not there. Errors: a folder that cannot be written, an
// index that is not one of ours, one of a later version.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(filepath.Join(dir, "objects"), 0o755); err != nil {
		return nil, fmt.Errorf("runs.Open: %w", err)
	}
	s, err := open(dir)
	if err == nil {
		s.tidy(24 * time.Hour)
	}
	return s, err
}

// tidy removes what killed processes left of objects that they wrote, once it is too old to be anyone's work. A failure
// leaves the file for the next time.
func (s *Store) tidy(age time.Duration) {
	entries, err := os.ReadDir(filepath.Join(s.Dir, "objects"))
	if err != nil {
		return
	}
	for _, e := range entries {
		if st, err := e.Info(); err == nil && strings.HasPrefix(e.Name(), ".tmp-") && time.Since(st.ModTime()) > age {
			os.Remove(filepath.Join(s.Dir, "objects", e.Name()))
		}
	}
}

// OpenExisting is Open for a folder that must hold a store: nothing is made.
func OpenExisting(dir string) (*Store, error) {
	if _, err := os.Stat(filepath.Join(dir, indexName)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("runs.Open: %s: holds no run store (%s); %w", dir, indexName, fs.ErrNotExist)
		}
		return nil, fmt.Errorf("runs.Open: %w", err)
	}
	return open(dir)
}

func open(dir string) (*Store, error) {
	path, err := filepath.Abs(filepath.Join(dir, indexName))
	if err != nil {
		return nil, err
	}
	// Every transaction takes the write lock at its start: one that first reads and then writes could otherwise find the
	// index changed in between and fail at once instead of waiting.
	dsn := (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(30000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)"},
	}.Encode()}).String()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("runs.Open: %w", err)
	}
	s := &Store{Dir: dir, db: db}
	if err := s.migrate(); err != nil {
		db.Close()
		return nil, fmt.Errorf("runs.Open: %s: %w", path, err)
	}
	return s, nil
}

// migrate makes the schema in a new index.
func (s *Store) migrate() error {
	return s.write(func(tx *sql.Tx) error {
		var have int
		if err := tx.QueryRow("PRAGMA user_version").Scan(&have); err != nil {
			return err
		}
		switch {
		case have == version:
			return nil
		case have > version:
			return fmt.Errorf("the index is of version %d; this binary knows %d: use a newer one", have, version)
		}
		if _, err := tx.Exec(schema); err != nil {
			return err
		}
		_, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", version))
		return err
	})
}

// Close gives the index back.
func (s *Store) Close() error { return s.db.Close() }

// write runs f in a transaction that holds the write lock, and rolls it back when f errs.
func (s *Store) write(f func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// object returns the place of a content-addressed file.
func (s *Store) object(hash string) string {
	return filepath.Join(s.Dir, "objects", hash[:2], hash[2:])
}

// checkpoints returns the folder for the checkpoints of unfinished runs of an identity.
func (s *Store) checkpoints(identity string) string {
	return filepath.Join(s.Dir, "checkpoints", identity[:16])
}

// Checkpoints returns where an unfinished run's checkpoints lie and the bytes that they take; empty when there are none.
func (s *Store) Checkpoints(r *Run) (dir string, size int64) {
	filepath.WalkDir(s.checkpoints(r.Identity), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if st, err := d.Info(); err == nil {
				dir, size = filepath.Dir(path), size+st.Size()
			}
		}
		return nil
	})
	return dir, size
}

// put writes an object and returns its hash and size. What is there already is not written again. The object lasts only
// once a run refers to it, which attach does under the write lock; a removal in between is seen there.
func (s *Store) put(write func(w io.Writer) error) (hash string, size int64, err error) {
	dir := filepath.Join(s.Dir, "objects")
	f, err := os.CreateTemp(dir, ".tmp-*")
	if err != nil {
		return "", 0, err
	}
	tmp := f.Name()
	defer os.Remove(tmp) // after the rename it is not there any more
	h := sha256.New()
	c := &counter{}
	err = write(io.MultiWriter(f, h, c))
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return "", 0, err
	}
	hash = hex.EncodeToString(h.Sum(nil))
	to := s.object(hash)
	if st, err := os.Stat(to); err == nil && st.Size() == c.n {
		return hash, c.n, nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return "", 0, err
	}
	if err := os.Chmod(tmp, 0o644); err != nil {
		return "", 0, err
	}
	if err := os.Rename(tmp, to); err != nil {
		return "", 0, err
	}
	return hash, c.n, weights.SyncFolder(filepath.Dir(to))
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }

// attach writes a file of a run. Content that another run has too is kept once.
func (s *Store) attach(run, role string, write func(w io.Writer) error) error {
	for try := 0; ; try++ {
		hash, size, err := s.put(write)
		if err != nil {
			return fmt.Errorf("runs: %s of %s: %w", role, run, err)
		}
		gone := false
		err = s.write(func(tx *sql.Tx) error {
			if _, err := os.Stat(s.object(hash)); err != nil {
				gone = errors.Is(err, fs.ErrNotExist)
				return err
			}
			_, err := tx.Exec("INSERT OR REPLACE INTO files (run, role, hash, size) VALUES (?, ?, ?, ?)", run, role, hash, size)
			return err
		})
		if err == nil {
			return nil
		}
		if !gone || try == 3 {
			return fmt.Errorf("runs: %s of %s: %w", role, run, err)
		}
	}
}

// File is a content-addressed file of a run.
type File struct {
	Role string `json:"role"` // "weights", "log", "notebook"
	Hash string `json:"hash"` // SHA-256
	Size int64  `json:"size"` // bytes
}

// ErrNoFile is returned for a file that a run does not have, or has no more.
var ErrNoFile = errors.New("runs: no such file")

// Read returns the content of a run's file. Content that does not have its hash any more is an error.
func (s *Store) Read(run, role string) ([]byte, error) {
	path, hash, err := s.path(run, role)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("runs: %s of %s: %w", role, run, err)
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != hash {
		return nil, fmt.Errorf("runs: %s of %s: %s is damaged: its SHA-256 is %x; wanted %s", role, run, path, sum, hash)
	}
	return b, nil
}

// Path returns where a run's file lies, after its content was checked against its hash.
func (s *Store) Path(run, role string) (string, error) {
	path, hash, err := s.path(run, role)
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("runs: %s of %s: %w", role, run, err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("runs: %s of %s: %w", role, run, err)
	}
	if sum := hex.EncodeToString(h.Sum(nil)); sum != hash {
		return "", fmt.Errorf("runs: %s of %s: %s is damaged: its SHA-256 is %s; wanted %s", role, run, path, sum, hash)
	}
	return path, nil
}

func (s *Store) path(run, role string) (path, hash string, err error) {
	err = s.db.QueryRow("SELECT hash FROM files WHERE run = ? AND role = ?", run, role).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", fmt.Errorf("%w: run %s has no %s", ErrNoFile, run, role)
	}
	if err != nil {
		return "", "", err
	}
	return s.object(hash), hash, nil
}

// sweep removes objects that no run refers to any more. It is called inside a transaction, whose write lock keeps others
// from referring to one of them meanwhile.
func (s *Store) sweep(tx *sql.Tx, hashes []string) (freed int64, err error) {
	for _, h := range hashes {
		var n int
		if err := tx.QueryRow("SELECT count(*) FROM files WHERE hash = ?", h).Scan(&n); err != nil {
			return freed, err
		}
		if n > 0 {
			continue
		}
		st, err := os.Stat(s.object(h))
		if err != nil {
			continue // it is gone already
		}
		if err := os.Remove(s.object(h)); err != nil {
			return freed, err
		}
		freed += st.Size()
	}
	return freed, nil
}

// Trim removes the weights of the runs that were used least recently until those that stay take at most limit bytes.
// The runs stay with all else; asked for again, they are trained again. keep names a run whose weights stay whatever the
// limit.
func (s *Store) Trim(limit int64, keep string) (freed int64, runs int, err error) {
	err = s.write(func(tx *sql.Tx) error {
		rows, err := tx.Query("SELECT f.run, f.hash, f.size FROM files f JOIN runs r ON r.id = f.run WHERE f.role = ? ORDER BY max(r.used, r.started) DESC, r.id", RoleWeights)
		if err != nil {
			return err
		}
		type file struct {
			run, hash string
			size      int64
		}
		var all []file
		for rows.Next() {
			var f file
			if err := rows.Scan(&f.run, &f.hash, &f.size); err != nil {
				rows.Close()
				return err
			}
			all = append(all, f)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		counted, total := map[string]bool{}, int64(0)
		for _, f := range all {
			if f.run == keep {
				counted[f.hash], total = true, f.size
			}
		}
		var gone []string
		for _, f := range all {
			if counted[f.hash] {
				continue
			}
			if total+f.size <= limit {
				counted[f.hash] = true
				total += f.size
				continue
			}
			if _, err := tx.Exec("DELETE FROM files WHERE run = ? AND role = ?", f.run, RoleWeights); err != nil {
				return err
			}
			gone = append(gone, f.hash)
			runs++
		}
		freed, err = s.sweep(tx, gone)
		return err
	})
	return freed, runs, err
}

func millis(t time.Time) int64 { return t.UnixMilli() }

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
