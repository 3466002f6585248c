package client

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The kinds of error, to be tested with errors.Is. Each text says what it means
// for the user.
var (
	// ErrNotActivated: the registration waits for the user to follow the link.
	ErrNotActivated = errors.New("not activated yet: follow the link that was sent to you")
	// ErrWrongPIN: the login was judged and refused. Try again, mindfully:
	// there are few attempts.
	ErrWrongPIN = errors.New("wrong PIN")
	// ErrBlocked: the attempts are used up. Only a new registration helps.
	ErrBlocked = errors.New("blocked after too many wrong PINs: register again")
	// ErrRevoked: the deployment gives this identity no time permit.
	ErrRevoked = errors.New("revoked: the service does not let this identity log in")
	// ErrUnknownCode: no such access number or QR code.
	ErrUnknownCode = errors.New("unknown access number or code: check it")
	// ErrExpired: a registration, login or code whose time is over. Start it
	// again.
	ErrExpired = errors.New("expired: start again")
	// ErrUnknownIdentity: the deployment does not know, or no longer knows,
	// the registration. Register again.
	ErrUnknownIdentity = errors.New("the service does not know this registration: register again")
	// ErrRefused: the service said no for a reason of its own.
	ErrRefused = errors.New("refused by the service")
	// ErrBusy: too many requests. Wait, then try again.
	ErrBusy = errors.New("the service asks to wait")
	// ErrServer: the service failed, or answered what makes no sense.
	ErrServer = errors.New("the service failed")
	// ErrAddress: the base address is none that a service can have.
	ErrAddress = errors.New("not the address of a service")
	// ErrUnreachable: no answer. Look at the connection.
	ErrUnreachable = errors.New("the service cannot be reached")
	// ErrBadShare: a D-TA's share is not made with its secret, or its proof is
	// missing; a [ShareError] names the D-TA. Nothing was stored.
	ErrBadShare = errors.New("bad share from a D-TA")
	// ErrPIN: not 4 to 12 digits, or not as many as this service takes.
	ErrPIN = errors.New("this cannot be a PIN here")
	// ErrSuite: the deployment's suite is not known or not built in, or cannot
	// do what is asked.
	ErrSuite = errors.New("suite not supported")
	// ErrState: the identity is not in the state for this: it has no token
	// yet, or has one already.
	ErrState = errors.New("not in this state")
	// ErrNotFound: no such identity in the wallet.
	ErrNotFound = errors.New("no such identity here")
	// ErrLocked: the wallet does not open with this passphrase or key, or was
	// tampered with.
	ErrLocked = errors.New("wallet does not open with this key")
	// ErrDamaged: not a wallet, or not one of a version that is known.
	ErrDamaged = errors.New("wallet is damaged")
)

// StatusError is an answer that is not a success. It wraps the kind of error
// that it amounts to.
type StatusError struct {
	// Step is what was asked for and Status the HTTP status of the answer.
	Step   Step
	Status int
	// Message and RequestID are the server's words, cut and without control
	// characters, or empty.
	Message, RequestID string
	kind               error
}

// Error says the kind, the step and what the server said.
func (e *StatusError) Error() string {
	s := fmt.Sprintf("%v (%s: status %d", e.kind, e.Step, e.Status)
	if e.Message != "" {
		s += fmt.Sprintf(", %q", e.Message)
	}
	if e.RequestID != "" {
		s += ", request " + e.RequestID
	}
	return s + ")"
}

// Unwrap returns the kind.
func (e *StatusError) Unwrap() error { return e.kind }

// ShareError says which D-TA's share is bad and why. It is an ErrBadShare.
type ShareError struct {
	// DTA is the index of the D-TA, from 1.
	DTA int
	// Err is what is wrong.
	Err error
}

// Error names the D-TA.
func (e *ShareError) Error() string { return fmt.Sprintf("%v: D-TA %d: %v", ErrBadShare, e.DTA, e.Err) }

// Unwrap returns ErrBadShare and the cause.
func (e *ShareError) Unwrap() []error { return []error{ErrBadShare, e.Err} }

// nonsense is an ErrServer for an answer that cannot be understood.
func nonsense(step Step, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %w", ErrServer, step, fmt.Errorf(format, args...))
}

// maxWords is how much of a server's message is passed on, in bytes.
const maxWords = 200

// words makes a server's text fit to be shown: on one line, short, without
// control characters.
func words(s string) string {
	if len(s) > maxWords {
		s = s[:maxWords]
		for !utf8.ValidString(s) && len(s) > maxWords-utf8.UTFMax {
			s = s[:len(s)-1]
		}
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}
