// Package seal keeps small secrets at rest: the share of the master secret that
// a D-TA holds, and the keys that belong to it.
//
// A [Sealer] turns a secret into sealed bytes and back. There are three kinds,
// chosen by the value of the command line's --seal (see [Parse]):
//
//   - age: under a passphrase, with filippo.io/age (scrypt, ChaCha20-Poly1305);
//   - pkcs11:…: under an AES-256 key that never leaves a PKCS#11 token, with
//     AES-GCM, the key and the token named by an RFC 7512 URI;
//   - none: in clear, in a file that only its owner may read; for demonstrations.
//
// Every secret is sealed for a label, such as "dta 1 of app 7f3a, suite
// rfc9380/bls12-381". The label is authenticated with the secret, so that one
// D-TA's file cannot be passed off as another's. What sealing cannot see is an
// older file of the same label in the place of a newer one.
//
// [Create], [Write], [Read], [Copy] and [Reseal] do the same with files, so
// that at any moment, also of a crash, the file on disk is a whole one.
//
// # Secrets in memory
//
// Buffers of this package that held a secret, a passphrase or a PIN are
// overwritten after use, and [Sealer.Close] overwrites what is kept between
// calls. That is as far as Go allows, and not far: age and PKCS#11 take
// passphrases and PINs as strings, which cannot be overwritten; age's and
// scrypt's own buffers and the C heap that the PKCS#11 binding copies through
// are freed and not overwritten; and nothing is kept out of swap or core dumps.
//
// Passphrases and secrets are compared and processed by age's, Go's and the
// token's primitives, which are constant-time where their makers say so; the
// comparisons made here are of public bytes, except the check of a sealed copy
// against its original, which is constant-time.
package seal

import (
	"context"
	"fmt"
	"strings"
)

// Limits, in bytes. Longer input is refused before it is read or copied.
const (
	// MaxSecret is the longest secret.
	MaxSecret = 64 << 10
	// MaxLabel is the longest label.
	MaxLabel = 256
	// MaxSealed is the longest sealed form that is looked at.
	MaxSealed = MaxSecret + 16<<10
)

// The kinds, as they stand in a sealed file's first line.
const (
	KindAge    = "age"
	KindPKCS11 = "pkcs11"
	KindNone   = "none"
)

// A Sealer seals secrets and opens what it sealed. It is safe for concurrent
// use; calls wait for each other, and a call whose context ends while it waits
// gives up. Work that has begun is finished: neither scrypt nor a token can be
// interrupted.
type Sealer interface {
	// Seal seals a secret of 1 to MaxSecret bytes for a label, which is 1 to
	// MaxLabel bytes of printable UTF-8. The same input never gives the same
	// bytes twice, except with none.
	Seal(ctx context.Context, label string, secret []byte) ([]byte, error)
	// Open returns the secret, which the caller overwrites after use, or an
	// error and nothing.
	Open(ctx context.Context, label string, sealed []byte) ([]byte, error)
	// Describe says in a few words what protects the secret. It contains none.
	Describe() string
	// Close forgets passphrases and leaves the token; it is safe to call twice.
	Close() error
}

// Options are what a Sealer needs beside the value of --seal.
type Options struct {
	// Passphrase gives the passphrase of kind age. It is asked when one is first
	// needed, and again after a wrong one. nil means PassphraseSource{}.Read.
	// The returned bytes are the Sealer's to overwrite.
	Passphrase func() ([]byte, error)
	// NewPassphrase is asked in its place when the first thing needed is to
	// seal: a mistyped passphrase would lock the secret in. nil means Passphrase
	// if that is given and PassphraseSource{Confirm: true}.Read otherwise.
	NewPassphrase func() ([]byte, error)
	// WorkFactor is the base-two logarithm of scrypt's cost for kind age: 1 to
	// MaxWorkFactor, 0 for DefaultWorkFactor. Values below 15 are for tests.
	WorkFactor int
	// Create makes Seal generate the PKCS#11 key if the token has none of its
	// name. Without it, and in Open, a missing key is ErrNoKey.
	Create bool
	// Warn is told of settings that work and should not be used. It may be nil.
	Warn func(message string)
}

// Parse makes a Sealer from the value of --seal: "age", "none", or an RFC 7512
// URI such as
//
//	pkcs11:token=mpin;object=master?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/mpin/pin
//
// A value that is none of these is ErrSpec, and a PKCS#11 URI in a build
// without cgo ErrUnavailable. Nothing is asked for and no token is touched
// before the first Seal or Open.
//
// Of the URI, token, serial, manufacturer and model choose the token; object
// and id (one of them is needed) choose the key; type may be secret-key;
// module-path is the token's library. The PIN is in the file of pin-source, or
// in the environment variable MPIN_PKCS11_PIN. pin-value is accepted and warned
// of: other users of the machine can see it in the process list. Attributes
// that are not listed here are refused, not ignored.
func Parse(spec string, options Options) (Sealer, error) {
	warn := options.Warn
	if warn == nil {
		warn = func(string) {}
	}
	switch {
	case spec == KindAge:
		return newAge(options)
	case spec == KindNone:
		warn("--seal none: secrets are stored in clear; use it for demonstrations only")
		return new(none), nil
	case strings.HasPrefix(spec, uriScheme):
		u, err := parseURI(spec)
		if err != nil {
			return nil, err
		}
		if u.pinValue != nil {
			warn("pin-value in --seal: others can read the PIN in the process list; use pin-source=file:… or " + PINVariable)
		}
		return newToken(u, options.Create)
	}
	// The value is not repeated: a URI with a misspelt scheme may carry a PIN.
	return nil, fmt.Errorf("%w: give age, none or pkcs11:…", ErrSpec)
}
