package seal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"filippo.io/age"
)

func TestAge(t *testing.T) { testSealer(t, cheapAge(t, "correct horse"), KindAge) }

func TestWrongPassphraseIsAskedForAgain(t *testing.T) {
	ctx := context.Background()
	sealed := mustSeal(t, cheapAge(t, "right"), testLabel, testSecret)
	answers := []string{"wrong", "Right", "right"}
	asked := 0
	s, err := Parse("age", Options{Passphrase: func() ([]byte, error) {
		asked++
		return []byte(answers[asked-1]), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Open(ctx, testLabel, sealed); !errors.Is(err, ErrWrongPassphrase) {
			t.Fatal(err)
		}
	}
	for range 2 { // the right one is kept
		got, err := s.Open(ctx, testLabel, sealed)
		if err != nil || !bytes.Equal(got, testSecret) {
			t.Fatal(err)
		}
	}
	if asked != 3 {
		t.Errorf("asked %d times", asked)
	}
}

func TestPassphraseToSealUnder(t *testing.T) {
	ctx := context.Background()
	var asked []string
	source := func(name string) func() ([]byte, error) {
		return func() ([]byte, error) { asked = append(asked, name); return []byte("x"), nil }
	}
	s, err := Parse("age", Options{Passphrase: source("old"), NewPassphrase: source("new"), WorkFactor: 1})
	if err != nil {
		t.Fatal(err)
	}
	sealed := mustSeal(t, s, testLabel, testSecret)
	if _, err := s.Open(ctx, testLabel, sealed); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(asked, " "); got != "new" {
		t.Errorf("asked for: %s", got)
	}
}

func TestNoPassphrase(t *testing.T) {
	failure := errors.New("no answer")
	for want, source := range map[error]func() ([]byte, error){
		ErrNoPassphrase: given(""),
		failure:         func() ([]byte, error) { return nil, failure },
	} {
		s, err := Parse("age", Options{Passphrase: source, WorkFactor: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Seal(context.Background(), testLabel, testSecret); !errors.Is(err, want) {
			t.Errorf("%v instead of %v", err, want)
		}
	}
}

func TestAgeForgets(t *testing.T) {
	passphrase := []byte("kept until closed")
	s, err := Parse("age", Options{Passphrase: func() ([]byte, error) { return passphrase, nil }, WorkFactor: 1})
	if err != nil {
		t.Fatal(err)
	}
	sealed := mustSeal(t, s, testLabel, testSecret)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(passphrase, make([]byte, len(passphrase))) {
		t.Error("the passphrase is still in memory after Close")
	}
	if _, err := s.Open(context.Background(), testLabel, sealed); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := s.Seal(context.Background(), testLabel, testSecret); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// ageFile returns a body that age itself makes, in our envelope.
func ageFile(t *testing.T, payload []byte, recipient age.Recipient) []byte {
	t.Helper()
	var body bytes.Buffer
	w, err := age.Encrypt(&body, recipient)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(payload)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return joinEnvelope(newHeader(KindAge, testLabel, nil), body.Bytes())
}

func scryptRecipient(t *testing.T, factor int) *age.ScryptRecipient {
	t.Helper()
	r, err := age.NewScryptRecipient("right")
	if err != nil {
		t.Fatal(err)
	}
	r.SetWorkFactor(factor)
	return r
}

func TestBodiesOfAge(t *testing.T) {
	ctx := context.Background()
	s := cheapAge(t, "right")
	header := newHeader(KindAge, testLabel, nil)
	other := newHeader(KindAge, "dta 2", nil)
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	hundred := func(b []byte) []byte { // asks for 2^100 units of work
		return mended(bytes.Replace(b, []byte(" 1\n"), []byte(" 100\n"), 1))
	}
	for _, c := range []struct {
		what   string
		sealed []byte
		want   error
	}{
		{"as we make it", ageFile(t, append(bytes.Clone(header), testSecret...), scryptRecipient(t, 1)), nil},
		{"under a public key", ageFile(t, append(bytes.Clone(header), testSecret...), key.Recipient()), ErrTampered},
		{"without a label", ageFile(t, testSecret, scryptRecipient(t, 1)), ErrTampered},
		{"with another label", ageFile(t, append(other, testSecret...), scryptRecipient(t, 1)), ErrTampered},
		{"without a secret", ageFile(t, header, scryptRecipient(t, 1)), ErrSize},
		{"empty", ageFile(t, nil, scryptRecipient(t, 1)), ErrTampered},
		{"too long a secret", ageFile(t, append(bytes.Clone(header), make([]byte, MaxSecret+1)...), scryptRecipient(t, 1)), ErrSize},
		{"too much work", hundred(ageFile(t, header, scryptRecipient(t, 1))), ErrWorkFactor},
	} {
		if _, err := s.Open(ctx, testLabel, c.sealed); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// TestCutBetweenChunks: age encrypts 64 KiB at a time. A file of two such
// chunks that loses the second must not open to the first.
func TestCutBetweenChunks(t *testing.T) {
	const chunk = 64<<10 + 16
	s := cheapAge(t, "right")
	sealed := mustSeal(t, s, testLabel, make([]byte, MaxSecret))
	at := bytes.Index(sealed, []byte("\n---"))
	mac := at + 1 + bytes.IndexByte(sealed[at+1:], '\n') + 1
	end := mac + 16 + chunk
	if end >= len(sealed) {
		t.Fatal("this file has one chunk")
	}
	got, err := s.Open(context.Background(), testLabel, mended(sealed[:end]))
	if !errors.Is(err, ErrTampered) || got != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestBodyIsAnAgeFile: what the package comment of the envelope says, so that
// nobody depends on this program to get a secret back.
func TestBodyIsAnAgeFile(t *testing.T) {
	sealed := mustSeal(t, cheapAge(t, "right"), testLabel, testSecret)
	_, body, _ := bytes.Cut(sealed, []byte("\n\n"))
	identity, err := age.NewScryptIdentity("right")
	if err != nil {
		t.Fatal(err)
	}
	r, err := age.Decrypt(bytes.NewReader(body), identity)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := io.ReadAll(r)
	if err != nil || !bytes.HasSuffix(payload, testSecret) {
		t.Errorf("%q, %v", payload, err)
	}
}
