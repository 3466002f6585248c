package rawjson

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	type document struct {
		Environment Settings `json:"environment"`
		Words       string   `json:"words"`
	}
	want := document{Environment(), "<a> & b"}
	var b bytes.Buffer
	if err := Write(&b, want); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b.Bytes(), []byte("<a> & b")) {
		t.Errorf("escaped: %s", b.Bytes())
	}
	path := filepath.Join(t.TempDir(), "x.json")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	content, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var got document
	if err := Read(content, &got); err != nil || got.Words != want.Words || got.Environment.Get("go") == "" || got.Environment.Get("none") != "" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "{", "[]", `{"other":1}`, "{}{}", "{} x"} {
		if err := Read([]byte(bad), &got); !errors.Is(err, ErrFile) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := Read(make([]byte, MaxBytes+1), &got); !errors.Is(err, ErrFile) {
		t.Errorf("a long document: %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestLoadIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long")
	if err := os.WriteFile(path, make([]byte, MaxBytes+100), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := Load(path); err != nil || len(b) != MaxBytes+1 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}
