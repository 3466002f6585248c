package seal

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The sealed form begins with a few lines of text and goes on with the body:
//
//	mpin-seal/1 pkcs11
//	label "dta 1 of app 7f3a, suite rfc9380/bls12-381"
//	key "0f6e…"                        pkcs11: CKA_ID of the key, hexadecimal
//	warning "NOT ENCRYPTED: …"         none
//	sum "9c1d…"                        SHA-256 of the lines before it and the body
//
//	body
//
// The lines before sum are the header. age repeats it inside the encrypted
// payload, before the secret, and PKCS#11 has it as additional data. The sum
// needs no key: it tells damage from a wrong passphrase or a failing token, and
// checks a backup that cannot be opened here. It stops nobody who wants to
// change the file; the passphrase or the token's key does.
//
// The body of age is a complete binary age file, that of pkcs11 a nonce of 12
// bytes, the ciphertext and a tag of 16 bytes, that of none the secret.

const (
	magic        = "mpin-seal/"
	version      = "1"
	clearWarning = "NOT ENCRYPTED: for demonstrations only"
	maxHeader    = 4 << 10 // bytes; a label of MaxLabel escaped bytes fits
	maxKeyID     = 64      // bytes
)

// envelope is a sealed form taken apart.
type envelope struct {
	kind, label string
	keyID       []byte // of pkcs11
	header      []byte // the lines before the sum
	body        []byte
}

// Info is what a sealed form says of itself.
type Info struct {
	Kind  string // KindAge, KindPKCS11 or KindNone
	Label string
}

// Inspect returns what a sealed form says of itself, after checking its form
// and its checksum. That finds damage, not forgery: only Open does.
func Inspect(sealed []byte) (Info, error) {
	e, err := parseEnvelope(sealed)
	if err != nil {
		return Info{}, err
	}
	return Info{Kind: e.kind, Label: e.label}, nil
}

// newHeader returns the header of a sealed form that is about to be made.
func newHeader(kind, label string, keyID []byte) []byte {
	b := []byte(magic + version + " " + kind + "\n")
	b = appendLine(b, "label", label)
	switch kind {
	case KindPKCS11:
		b = appendLine(b, "key", hex.EncodeToString(keyID))
	case KindNone:
		b = appendLine(b, "warning", clearWarning)
	}
	return b
}

func appendLine(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ' ')
	b = strconv.AppendQuoteToASCII(b, value)
	return append(b, '\n')
}

func sum(header, body []byte) string {
	h := sha256.New()
	h.Write(header)
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// joinEnvelope returns the sealed form of a header and its body.
func joinEnvelope(header, body []byte) []byte {
	b := make([]byte, 0, len(header)+80+len(body))
	b = append(b, header...)
	b = appendLine(b, "sum", sum(header, body))
	b = append(b, '\n')
	return append(b, body...)
}

// parseEnvelope takes a sealed form apart. The body is part of sealed.
func parseEnvelope(sealed []byte) (*envelope, error) {
	if len(sealed) > MaxSealed {
		return nil, fmt.Errorf("%w: more than %d sealed bytes", ErrSize, MaxSealed)
	}
	rest, ok := bytes.CutPrefix(sealed, []byte(magic))
	if !ok {
		return nil, ErrNotSealed
	}
	end := bytes.Index(sealed[:min(len(sealed), maxHeader)], []byte("\n\n"))
	first, _, ok := bytes.Cut(rest, []byte("\n"))
	if end < 0 || !ok {
		return nil, fmt.Errorf("%w: it has no end of the header", ErrTampered)
	}
	v, kind, _ := strings.Cut(string(first), " ")
	if v != version {
		if _, err := strconv.ParseUint(v, 10, 16); err != nil {
			return nil, ErrNotSealed
		}
		return nil, fmt.Errorf("%w: %s%s", ErrVersion, magic, v)
	}
	if kind != KindAge && kind != KindPKCS11 && kind != KindNone {
		return nil, fmt.Errorf("%w: it names no kind of sealing", ErrNotSealed)
	}
	e := &envelope{kind: kind, body: sealed[end+2:]}
	var err error
	lines := strings.Split(string(sealed[:end]), "\n")[1:]
	for _, line := range lines {
		name, quoted, _ := strings.Cut(line, " ")
		value, bad := strconv.Unquote(quoted)
		if bad != nil {
			return nil, fmt.Errorf("%w: a line of its header cannot be read", ErrTampered)
		}
		switch name {
		case "label":
			e.label = value
		case "key":
			if e.keyID, err = hex.DecodeString(value); err != nil || len(e.keyID) > maxKeyID {
				return nil, fmt.Errorf("%w: the key's name cannot be read", ErrTampered)
			}
		}
	}
	if checkLabel(e.label) != nil {
		return nil, fmt.Errorf("%w: the label cannot be read", ErrTampered)
	}
	// There is one way to write a header. What differs from it, in order, in
	// spelling or by lines that nobody knows, was not written here.
	e.header = newHeader(e.kind, e.label, e.keyID)
	if !bytes.Equal(joinEnvelope(e.header, e.body), sealed) {
		return nil, fmt.Errorf("%w: the checksum differs", ErrTampered)
	}
	return e, nil
}

// open takes a sealed form apart that the Sealer of a kind is to open.
func openEnvelope(kind, label string, sealed []byte) (*envelope, error) {
	if err := checkLabel(label); err != nil {
		return nil, err
	}
	e, err := parseEnvelope(sealed)
	if err != nil {
		return nil, err
	}
	if e.kind != kind {
		return nil, fmt.Errorf("%w: the file needs --seal %s, not %s", ErrKind, e.kind, kind)
	}
	return e, nil
}

// forLabel is the last check of Open, after authentication: so ErrLabel says
// that a genuine file of another label lies in the wrong place.
func (e *envelope) forLabel(label string) error {
	if e.label != label {
		return fmt.Errorf("%w: it is of %q, not of %q", ErrLabel, e.label, label)
	}
	return nil
}

// checkInput refuses what Seal does not take.
func checkInput(label string, secret []byte) error {
	if len(secret) < 1 || len(secret) > MaxSecret {
		return fmt.Errorf("%w: a secret has 1 to %d bytes, this one %d", ErrSize, MaxSecret, len(secret))
	}
	return checkLabel(label)
}

func checkLabel(label string) error {
	bad := func(r rune) bool { return !unicode.IsPrint(r) }
	if len(label) < 1 || len(label) > MaxLabel || !utf8.ValidString(label) || strings.ContainsFunc(label, bad) {
		return fmt.Errorf("%w: a label has 1 to %d bytes of printable UTF-8", ErrSize, MaxLabel)
	}
	return nil
}

// same compares two secrets of which the lengths are public.
func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
