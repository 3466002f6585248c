package rps

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"mpinlab/sim/wire"
)

// What the store holds, in a compact binary form: a byte that tells the form,
// then numbers as uvarints and byte strings after their length. The tail of a
// login (see store.Move) begins where its challenge ends.

// errRecord: a value in the store that no version of this server has written.
var errRecord = errors.New("unreadable record in the store")

const ottSize = 16 // bytes of authOTT, webOTT, regOTT and a QR code's wid

// The forms of record.
const (
	formRegistration byte = iota + 1
	formChallenge
	formVerdict
	formCode
	formPermit
	formResult
)

type writer []byte

func (w *writer) number(n uint64) { *w = binary.AppendUvarint(*w, n) }

func (w *writer) bytes(b []byte) {
	w.number(uint64(len(b)))
	*w = append(*w, b...)
}

func (w *writer) text(s string) {
	w.number(uint64(len(s)))
	*w = append(*w, s...)
}

func (w *writer) time(t time.Time) { w.number(uint64(t.UnixMilli())) }

// reader reads what a writer wrote. After a mistake everything is empty.
type reader struct {
	b   []byte
	bad bool
}

func read(b []byte, form byte) *reader {
	if len(b) == 0 || b[0] != form {
		return &reader{bad: true}
	}
	return &reader{b: b[1:]}
}

func (r *reader) number() uint64 {
	n, used := binary.Uvarint(r.b)
	if used <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[used:]
	return n
}

// bytes returns a part of what is read, not a copy.
func (r *reader) bytes() []byte {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) text() string    { return string(r.bytes()) }
func (r *reader) time() time.Time { return time.UnixMilli(int64(r.number())) }

// end returns errRecord unless all was read without a mistake.
func (r *reader) end(what string) error {
	if r.bad || len(r.b) != 0 {
		return fmt.Errorf("%w: %s", errRecord, what)
	}
	return nil
}

// registration is what is remembered of a user until his set-up is done. It is
// kept under the hash of his identity, which holds the rest.
type registration struct {
	state   byte
	regOTT  [ottSize]byte
	created time.Time
}

// The states of a registration.
const (
	pending byte = iota + 1 // not activated
	active                  // may fetch the secret
	issued                  // has fetched it
)

func (g *registration) encode() []byte {
	w := append(make(writer, 0, 26), formRegistration, g.state)
	w = append(w, g.regOTT[:]...)
	w.time(g.created)
	return w
}

func readRegistration(b []byte) (*registration, error) {
	r := read(b, formRegistration)
	if r.bad || len(r.b) < 1+ottSize {
		return nil, fmt.Errorf("%w: registration", errRecord)
	}
	g := &registration{state: r.b[0]}
	copy(g.regOTT[:], r.b[1:])
	r.b = r.b[1+ottSize:]
	g.created = r.time()
	return g, r.end("registration")
}

// login is a login from its pass 1 on.
type login struct {
	// Of pass 1.
	begun time.Time
	id    []byte // raw identity
	u, ut []byte
	y     []byte
	proof []byte // of binding; empty without
	// Of pass 2.
	answered time.Time
	v        []byte
	wid      string // "" for a login of the client itself
	otp      string
}

func (l *login) encodePass1() []byte {
	w := append(make(writer, 0, 32+len(l.id)+len(l.u)+len(l.ut)+len(l.y)+len(l.proof)), formChallenge)
	w.time(l.begun)
	w.bytes(l.id)
	w.bytes(l.u)
	w.bytes(l.ut)
	w.bytes(l.y)
	w.bytes(l.proof)
	return w
}

func (l *login) encodePass2() []byte {
	w := make(writer, 0, 32+len(l.v)+len(l.wid)+len(l.otp))
	w.time(l.answered)
	w.bytes(l.v)
	w.text(l.wid)
	w.text(l.otp)
	return w
}

// pass1 reads what encodePass1 wrote, and leaves the rest to be read.
func (r *reader) pass1() *login {
	l := &login{begun: r.time()}
	l.id, l.u, l.ut, l.y, l.proof = r.bytes(), r.bytes(), r.bytes(), r.bytes(), r.bytes()
	return l
}

func readLogin(b []byte) (*login, error) {
	r := read(b, formChallenge)
	l := r.pass1()
	l.answered, l.v, l.wid, l.otp = r.time(), r.bytes(), r.text(), r.text()
	return l, r.end("login")
}

// passed is a login that a phone had judged and that its browser has not
// redeemed yet. It takes the login's place.
type passed struct {
	answered time.Time
	id       []byte
	otp      string
}

func (p *passed) encode() []byte {
	w := append(make(writer, 0, 24+len(p.id)), formVerdict)
	w.time(p.answered)
	w.bytes(p.id)
	w.text(p.otp)
	return w
}

func readPassed(b []byte) (*passed, error) {
	r := read(b, formVerdict)
	p := &passed{answered: r.time(), id: r.bytes(), otp: r.text()}
	return p, r.end("verdict")
}

// code is the session of an access number or QR code, kept under its webOTT.
type code struct {
	status  string // one of wire.CodeNew …
	userID  string
	authOTT string // with wire.CodeAuthenticate
	expires time.Time
}

func (c *code) encode() []byte {
	w := append(make(writer, 0, 64), formCode)
	w.text(c.status)
	w.text(c.userID)
	w.text(c.authOTT)
	w.time(c.expires)
	return w
}

func readCode(b []byte) (*code, error) {
	r := read(b, formCode)
	c := &code{status: r.text(), userID: r.text(), authOTT: r.text(), expires: r.time()}
	return c, r.end("access code")
}

// permit is the customer's half of a permit, kept for its day.
type permit struct {
	share  string // hex
	set    wire.Set
	shares []wire.ProvedShare
}

func (p *permit) encode() []byte {
	w := append(make(writer, 0, 64+len(p.share)), formPermit)
	w.text(p.share)
	w.text(p.set.String())
	w.number(uint64(len(p.shares)))
	for _, s := range p.shares {
		w.number(uint64(s.DTA))
		w.text(s.Share)
		w.text(s.Proof)
	}
	return w
}

func readPermit(b []byte) (*permit, error) {
	r := read(b, formPermit)
	p := &permit{share: r.text()}
	var err error
	if p.set, err = wire.ParseSet(r.text()); err != nil {
		r.bad = true
	}
	for n := min(r.number(), wire.MaxMembers); n > 0; n-- {
		p.shares = append(p.shares, wire.ProvedShare{DTA: int(r.number()), Share: r.text(), Proof: r.text()})
	}
	return p, r.end("permit")
}

// result is what the application has told of a browser's login for the phone
// that waits. Status 0 says only that the browser's login was redeemed: the
// application may have more to say.
type result struct {
	status     int
	logoutURL  string
	logoutData []byte // JSON, empty for none
}

func (t *result) encode() []byte {
	w := append(make(writer, 0, 16+len(t.logoutURL)+len(t.logoutData)), formResult)
	w.number(uint64(t.status))
	w.text(t.logoutURL)
	w.bytes(t.logoutData)
	return w
}

func readResult(b []byte) (*result, error) {
	r := read(b, formResult)
	t := &result{status: int(r.number()), logoutURL: r.text(), logoutData: r.bytes()}
	return t, r.end("result")
}
