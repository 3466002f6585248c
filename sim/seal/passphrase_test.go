package seal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// noTerminal is a file in the place of one.
func noTerminal(t testing.TB) *os.File {
	t.Helper()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestPassphraseSource(t *testing.T) {
	file := filepath.Join(t.TempDir(), "passphrase")
	set := func(value, path string) {
		t.Setenv(PassphraseVariable, value)
		t.Setenv(PassphraseVariable+"_FILE", path)
	}
	s := PassphraseSource{Terminal: noTerminal(t)}
	check := func(what, want string, kind error) {
		t.Helper()
		got, err := s.Read()
		if string(got) != want || !errors.Is(err, kind) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the passphrase is in the error: %v", what, err)
		}
	}
	set("", "")
	check("nothing", "", ErrNoPassphrase)
	set("s3cret with spaces ", "")
	check("the variable", "s3cret with spaces ", nil)
	set("s3cret", file)
	check("both", "", ErrNoPassphrase)
	set("s3cret\ns3cret", "")
	check("two lines", "", ErrNoPassphrase)
	set("", file)
	check("a missing file", "", os.ErrNotExist)
	for text, want := range map[string]string{
		"s3cret": "s3cret", "s3cret\n": "s3cret", "s3cret\r\n": "s3cret", " ä\t": " ä\t",
		strings.Repeat("x", maxSecretLine) + "\r\n": strings.Repeat("x", maxSecretLine),
		"": "", "\n": "", "s3cret\n\n": "", "s3cret\x00": "", strings.Repeat("x", maxSecretLine+1): "",
		strings.Repeat("x", 1<<20): "",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var kind error
		if want == "" {
			kind = ErrNoPassphrase
		}
		check("a file", want, kind)
	}
	set("", filepath.Dir(file))
	check("a folder", "", ErrNoPassphrase)

	t.Setenv("MPIN_NEW_PASSPHRASE", "next")
	s.Variable = "MPIN_NEW_PASSPHRASE"
	check("another variable", "next", nil)
}

func TestRefusedLinesAreOverwritten(t *testing.T) {
	b := []byte("s3cret\ns3cret")
	if _, err := secretLine(b, ErrNoPIN); !errors.Is(err, ErrNoPIN) || !bytes.Equal(b, make([]byte, len(b))) {
		t.Errorf("%q, %v", b, err)
	}
}
