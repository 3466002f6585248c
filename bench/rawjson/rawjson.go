// Package rawjson writes and reads the result files that are not benchmarks in
// Go's format: one JSON document with the environment it was measured in.
package rawjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"mpinlab/bench"
)

// MaxBytes bounds a file.
const MaxBytes = 8 << 20

// ErrFile: not a result file of the kind that is being read.
var ErrFile = errors.New("not such a result file")

// Setting is a line of the environment.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Settings is an environment.
type Settings []Setting

// Environment describes the machine, the toolchain and the moment; see
// bench.Environment.
func Environment() (list Settings) {
	for _, s := range bench.Environment() {
		list = append(list, Setting(s))
	}
	return list
}

// Get returns a value, or "".
func (l Settings) Get(key string) string {
	for _, s := range l {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// Write writes v as one indented document.
func Write(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(v)
}

// Read reads what Write wrote into v: one document without fields that v does
// not have. Error: ErrFile.
func Read(b []byte, v any) error {
	if len(b) > MaxBytes {
		return fmt.Errorf("%w: over %d bytes", ErrFile, MaxBytes)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", ErrFile, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: more than one document", ErrFile)
	}
	return nil
}

// Load returns the content of the file at path, of at most MaxBytes and one
// byte more, which Read refuses.
func Load(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxBytes+1))
}
