// Package wire holds what the servers of a deployment and their clients agree
// on: messages, identities, signatures, dates, access numbers and limits. They
// are those of the M-Pin Core and Apache Milagro MFA server, so that a client
// that was written for that server works with ours; what ours adds is in
// fields and parameters that such a client does not look at.
//
// It talks to nobody and imports no server, so that the browser's and phone's
// client carries little.
package wire

import "errors"

// The kinds of error of this package.
var (
	// ErrIdentity: not the hex of an identity's JSON.
	ErrIdentity = errors.New("malformed identity")
	// ErrSignature: a signature that does not hold.
	ErrSignature = errors.New("signature does not hold")
	// ErrExpired: a signed request past its time, or too far ahead of it.
	ErrExpired = errors.New("request expired")
	// ErrMalformed: a parameter that is missing or not of its form.
	ErrMalformed = errors.New("malformed parameter")
	// ErrAccessNumber: a number of the wrong length or with the wrong check
	// digit.
	ErrAccessNumber = errors.New("malformed access number")
)

// Limits on what is read, in bytes, checked before anything is parsed.
const (
	// MaxBody is the greatest body of a request.
	MaxBody = 16 << 10
	// MaxAnswer is the greatest body of an answer that a client reads.
	MaxAnswer = 64 << 10
	// MaxUserID is the greatest user ID.
	MaxUserID = 256
	// MaxIdentity is the greatest identity, in hex.
	MaxIdentity = 4096
	// MaxPoint is the greatest point of G1, in hex: 04 ‖ x ‖ y on bw6-761.
	MaxPoint = 512
	// MaxDevice is the greatest device name, and MaxUserData what a client may
	// have passed on to the relying party at registration.
	MaxDevice   = 128
	MaxUserData = 4096
)

// Version is the protocol version in answers.
const Version = "0.3"
