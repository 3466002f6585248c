// Package store keeps the state of a deployment's servers: what must outlive a
// request, and for some of it the process.
//
// A store holds values under a kind and a key, each with a time to live, and
// the attempts at logging in of each identity. Three stores keep to the one
// contract: [NewMemory], [OpenBolt] (one process, durable), [OpenRedis]
// (several instances of a server on one state).
//
// # What survives
//
// Kinds are durable or passing (see [Kind.Durable]). When a call that changed
// something durable has returned, a kill -9 or a loss of power does not undo
// it: bbolt has synchronised its file, Redis has as much as its appendfsync
// setting says (always, for this promise). What is passing may be lost when a
// process ends: its owner starts again, and nothing was acknowledged that
// cannot be started again.
package store

import (
	"context"
	"errors"
	"time"
)

var (
	// ErrNotFound: no value under this key, or it has expired.
	ErrNotFound = errors.New("not found")
	// ErrBlocked: the identity has used its attempts up.
	ErrBlocked = errors.New("blocked")
	// ErrLeaseEnded: the reservation was given up by its lease, or settled
	// before; the verdict it was for must not be told.
	ErrLeaseEnded = errors.New("reservation has ended")
	// ErrUnavailable: the store cannot be reached or has failed. Whether what
	// was asked for was done is not known; nothing of it was acknowledged. The
	// cause is wrapped.
	ErrUnavailable = errors.New("store unavailable")
	// ErrTooLarge: a key over MaxKey or a value over MaxValue bytes.
	ErrTooLarge = errors.New("too large for the store")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("store closed")
	// ErrFull: the store holds as much as it may (see Options.MaxValues,
	// Options.MaxBytes and Redis's maxmemory). Nothing was changed.
	ErrFull = errors.New("store full")
	// ErrOverloaded: too many callers wait already, for their turn with one
	// identity (Options.MaxWaiters) or to write. Nothing was changed.
	ErrOverloaded = errors.New("too many callers wait for the store")
	// ErrArgument: a mistake of the caller's: an empty or unknown kind, a
	// negative time to live, a policy without a maximum or a lease.
	ErrArgument = errors.New("wrong argument to the store")
	// ErrLocked: another process has the file open.
	ErrLocked = errors.New("file is in use by another process")
	// ErrFormat: the file is not a store, or is one of another version.
	ErrFormat = errors.New("not a store of this format")
	// ErrCorrupt: the file is a store, but damaged.
	ErrCorrupt = errors.New("store is damaged")
)

// The greatest sizes in bytes.
const (
	MaxKey   = 512
	MaxValue = 64 << 10
)

// Kind is a name space of keys.
type Kind uint8

// The kinds of value.
const (
	// Registration is a user's record: pending, activated, done. Durable.
	Registration Kind = iota + 1
	// Challenge is the y drawn for an identity's latest pass 1. Passing.
	Challenge
	// Login is what an authOTT stands for. Passing.
	Login
	// Access is an access number's or QR code's session. Passing.
	Access
	// Permit is a permit share that is kept for a day. Passing.
	Permit
	// Revocation marks an identity whose permits are refused. Durable.
	Revocation
	// Mark is something that may be seen only once. Passing. Where marks would
	// take more than half of the room in memory (Options.MaxValues) the oldest
	// are forgotten: what strangers can leave behind in any number must not
	// keep the rest out.
	Mark
	// Session is a browser's session with the relying party. Passing.
	Session
	// Account is what the relying party knows of a user. Durable.
	Account
	// Application is a customer's registration with the API. Durable.
	Application
)

// Op is one step of [Store.Do]; make it with Put, Create, Get, Take, Delete or
// Move.
type Op struct {
	// Unexported fields; the stores are in this package.
	verb  verb
	kind  Kind
	key   string
	value []byte
	old   []byte
	ttl   time.Duration
	to    Kind
	toKey string
}

type verb uint8

const (
	verbPut verb = iota + 1
	verbCreate
	verbGet
	verbTake
	verbDelete
	verbMove
	verbSwap
)

// Put writes a value over what was there. A ttl of 0 keeps it for good; others
// are rounded up to whole milliseconds. The value is copied, here and wherever
// a store takes or gives one.
func Put(k Kind, key string, value []byte, ttl time.Duration) Op {
	return Op{verb: verbPut, kind: k, key: key, value: value, ttl: ttl}
}

// Create writes a value unless there is one. Its result says with OK whether
// it did.
func Create(k Kind, key string, value []byte, ttl time.Duration) Op {
	return Op{verb: verbCreate, kind: k, key: key, value: value, ttl: ttl}
}

// Get reads a value.
func Get(k Kind, key string) Op { return Op{verb: verbGet, kind: k, key: key} }

// Take reads a value and removes it: of many who take it one gets it.
func Take(k Kind, key string) Op { return Op{verb: verbTake, kind: k, key: key} }

// Delete removes a value, if there is one; its result says with OK whether
// there was.
func Delete(k Kind, key string) Op { return Op{verb: verbDelete, kind: k, key: key} }

// Move takes the value under one key, appends tail to it and puts it under
// another, over what was there. Of many who move it one succeeds; its result
// is the value as it was. What would grow over MaxValue is ErrTooLarge.
func Move(from Kind, fromKey string, to Kind, toKey string, tail []byte, ttl time.Duration) Op {
	return Op{verb: verbMove, kind: from, key: fromKey, to: to, toKey: toKey, value: tail, ttl: ttl}
}

// Result is what one Op did. OK says that Get, Take and Move found a value,
// that Create wrote its, that Delete had one to remove; it is true for Put.
type Result struct {
	OK    bool
	Value []byte
}

// Store is the state of one server, or of several instances of it. All methods
// are safe for concurrent use. A context that ends gives its error; if it ends
// while a change is under way, that may have been made or not, as with
// ErrUnavailable from a store on the network.
type Store interface {
	// Do carries out the operations in order and in one round trip, all of
	// them or, if there is an error, none. No other call comes between them.
	// Errors: ErrUnavailable, ErrTooLarge, ErrFull, ErrOverloaded, ErrClosed.
	Do(ctx context.Context, ops ...Op) ([]Result, error)
	// Swap puts a new value in the place of an old one, and reports whether
	// the old one was still there. The time to live stays as it was.
	Swap(ctx context.Context, k Kind, key string, old, new []byte) (bool, error)
	// Scan calls f with the values of a kind in no certain order until it
	// returns false. What changes meanwhile may be seen or not; nothing is
	// seen twice. f may call the store.
	Scan(ctx context.Context, k Kind, f func(key string, value []byte) bool) error

	Attempts

	// Ping tells whether the store answers.
	Ping(ctx context.Context) error
	// Warnings tells, for the log, in what this store promises less than the
	// package does.
	Warnings() []string
	// Close releases the store; what was acknowledged is kept. Calls under way
	// end with ErrClosed, also those that wait for their turn.
	Close() error
}

// Attempts counts the failed logins of each identity, durably, and never lets
// more logins be judged than may fail.
//
// Whoever wants to judge a login reserves an attempt first and settles it
// afterwards, before the verdict is told to anyone. Reservations and failures
// together never exceed the maximum: another reservation waits until one is
// settled or given up. So logins of one identity that come at the same time
// all get their turn, N parallel guesses are judged at most as often as the
// maximum says over any number of instances, and the failure that reaches it
// blocks the rest.
//
// A reservation has a lease. One whose holder died is given up when the lease
// ends and counts as nothing, which is safe because Settle refuses it from
// then on: its verdict was never told.
type Attempts interface {
	// Reserve waits for its turn and reserves an attempt. Turns are first come,
	// first served within a process. Errors: ErrBlocked, ErrOverloaded,
	// ErrFull, ErrUnavailable, ErrClosed, ctx's.
	Reserve(ctx context.Context, id string, p Policy) (*Reservation, error)
	// Settle ends a reservation: Passed clears the failures, Failed adds one,
	// Withdrawn leaves them. It returns the failures counted now. The verdict
	// may be told only if there is no error. Errors: ErrLeaseEnded,
	// ErrUnavailable, ErrOverloaded, ErrClosed.
	Settle(ctx context.Context, r *Reservation, o Outcome) (failures int, err error)
	// Failures returns the failures counted, without reserving.
	Failures(ctx context.Context, id string) (int, error)
	// Clear forgets the failures of an identity and with them a block.
	// Reservations stay.
	Clear(ctx context.Context, id string) error
}

// Policy is how attempts are granted.
type Policy struct {
	// Max is the number of failures that blocks an identity, at least 1.
	Max int
	// Lease is how long a holder may take to settle.
	Lease time.Duration
}

// Reservation is an attempt held.
type Reservation struct {
	// ID is the identity and Failures what was counted when it was granted.
	ID       string
	Failures int
	token    string
}

// Outcome is how a judged login ended.
type Outcome uint8

// The outcomes.
const (
	Passed Outcome = iota + 1
	Failed
	Withdrawn
)

// Durable tells whether values of the kind outlive the process.
func (k Kind) Durable() bool {
	switch k {
	case Registration, Revocation, Account, Application:
		return true
	}
	return false
}

var kindNames = [...]string{
	Registration: "registration",
	Challenge:    "challenge",
	Login:        "login",
	Access:       "access",
	Permit:       "permit",
	Revocation:   "revocation",
	Mark:         "mark",
	Session:      "session",
	Account:      "account",
	Application:  "application",
}

// String returns the kind's name, for logs.
func (k Kind) String() string {
	switch {
	case k >= Registration && k <= Application:
		return kindNames[k]
	case k == failed:
		return "failures"
	}
	return "unknown"
}
