package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"filippo.io/age"
)

// DefaultWorkFactor costs about a second and 256 MiB a call on current
// machines; MaxWorkFactor, which is also the most that Open does for a file,
// four times as much.
const (
	DefaultWorkFactor = 18
	MaxWorkFactor     = 20
)

// passphraseSealer is kind age. turn is held while passphrase is used, which
// also keeps scrypt's memory to that of one call.
type passphraseSealer struct {
	workFactor  int
	ask, askNew func() ([]byte, error)
	turn        turn
	passphrase  []byte // nil until asked
	closed      bool
}

var _ Sealer = (*passphraseSealer)(nil)

func newAge(o Options) (*passphraseSealer, error) {
	s := &passphraseSealer{workFactor: o.WorkFactor, ask: o.Passphrase, askNew: o.NewPassphrase, turn: newTurn()}
	if s.workFactor == 0 {
		s.workFactor = DefaultWorkFactor
	}
	if s.workFactor < 1 || s.workFactor > MaxWorkFactor {
		return nil, fmt.Errorf("%w: a scrypt work factor is 1 to %d", ErrSpec, MaxWorkFactor)
	}
	if s.askNew == nil {
		s.askNew = s.ask
	}
	if s.askNew == nil {
		s.askNew = PassphraseSource{Confirm: true}.Read
	}
	if s.ask == nil {
		s.ask = PassphraseSource{}.Read
	}
	return s, nil
}

// ready returns the passphrase, which it asks for if it has none.
func (s *passphraseSealer) ready(ask func() ([]byte, error)) (string, error) {
	if s.closed {
		return "", ErrClosed
	}
	if s.passphrase == nil {
		p, err := ask()
		if err != nil {
			return "", err
		}
		if len(p) == 0 {
			return "", ErrNoPassphrase
		}
		s.passphrase = p
	}
	return string(s.passphrase), nil
}

func (s *passphraseSealer) forget() {
	clear(s.passphrase)
	s.passphrase = nil
}

func (s *passphraseSealer) Seal(ctx context.Context, label string, secret []byte) ([]byte, error) {
	if err := checkInput(label, secret); err != nil {
		return nil, err
	}
	if err := s.turn.take(ctx); err != nil {
		return nil, err
	}
	defer s.turn.give()
	passphrase, err := s.ready(s.askNew)
	if err != nil {
		return nil, err
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	recipient.SetWorkFactor(s.workFactor)

	header := newHeader(KindAge, label, nil)
	var body bytes.Buffer
	w, err := age.Encrypt(&body, recipient)
	if err != nil {
		return nil, err
	}
	for _, part := range [][]byte{header, secret} {
		if _, err := w.Write(part); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return joinEnvelope(header, body.Bytes()), nil
}

func (s *passphraseSealer) Open(ctx context.Context, label string, sealed []byte) ([]byte, error) {
	e, err := openEnvelope(KindAge, label, sealed)
	if err != nil {
		return nil, err
	}
	if err := s.turn.take(ctx); err != nil {
		return nil, err
	}
	defer s.turn.give()
	passphrase, err := s.ready(s.ask)
	if err != nil {
		return nil, err
	}
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, err
	}
	identity.SetMaxWorkFactor(MaxWorkFactor)
	r, err := age.Decrypt(bytes.NewReader(e.body), scryptOnly{identity})
	if errors.Is(err, ErrWrongPassphrase) {
		s.forget() // so that the next call asks for another
		return nil, err
	}
	if errors.Is(err, ErrWorkFactor) {
		return nil, err
	}
	if err != nil {
		return nil, ErrTampered
	}
	// The plaintext is shorter than the body. One buffer of that size, where
	// io.ReadAll would leave smaller copies of the secret behind.
	payload := make([]byte, len(e.body))
	defer clear(payload)
	n := 0
	// age says io.ErrUnexpectedEOF of a body that was cut between its chunks,
	// so that io.ReadFull's error of the same name would hide the cut.
	for err = nil; err == nil; {
		var read int
		read, err = r.Read(payload[n:])
		n += read
	}
	if err != io.EOF {
		return nil, ErrTampered
	}
	secret, ok := bytes.CutPrefix(payload[:n], e.header)
	if !ok {
		return nil, fmt.Errorf("%w: the header is not the one that was sealed", ErrTampered)
	}
	if err := checkInput(e.label, secret); err != nil {
		return nil, err
	}
	if err := e.forLabel(label); err != nil {
		return nil, err
	}
	return bytes.Clone(secret), nil
}

func (s *passphraseSealer) Describe() string {
	return fmt.Sprintf("age: under a passphrase (scrypt work factor %d)", s.workFactor)
}

func (s *passphraseSealer) Close() error {
	if err := s.turn.take(context.Background()); err != nil {
		return err
	}
	defer s.turn.give()
	s.forget()
	s.closed = true
	return nil
}

// scryptOnly is a ScryptIdentity that gives errors of this package.
type scryptOnly struct{ identity *age.ScryptIdentity }

func (i scryptOnly) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if len(stanzas) != 1 || stanzas[0].Type != "scrypt" || len(stanzas[0].Args) != 2 {
		return nil, ErrTampered
	}
	if n, err := strconv.Atoi(stanzas[0].Args[1]); err == nil && n > MaxWorkFactor {
		return nil, fmt.Errorf("%w: %d, at most %d", ErrWorkFactor, n, MaxWorkFactor)
	}
	key, err := i.identity.Unwrap(stanzas)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, ErrWrongPassphrase
	}
	return key, err
}
