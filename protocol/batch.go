package protocol

import (
	"io"

	"mpinlab/backends"
)

// Session is one login of a batch: who logs in, and what was said.
type Session struct {
	Identity   *Identity
	Transcript *Transcript
}

// VerifyBatch checks many logins together and returns for each what
// [Verifier.Verify] returns for it alone: nil for an accepted one, in the order
// of the sessions. Identities, dates and whole sessions may repeat. It is
// worth its while from two sessions on; a session among a thousand costs less
// than a tenth of one alone. Variable-time in public values only.
//
// All logins share Q and s·Q, so that one equation with a random weight w_i for
// each session,
//
//	e(Σ w_i·V_i, Q) · e(Σ w_i·U'_i + Σ (w_i·y_i)·A'_i, s·Q) = 1,
//
// speaks for all: after two multi-scalar multiplications the pairing is paid
// for once. If it fails, the batch is halved until the bad sessions stand
// alone. k bad sessions among n cost at most about 2k·log2(n/k) equations more;
// where more than one in five turn out to be bad, the rest of the batch goes one
// by one, so that no batch costs much more than twice its sessions alone.
//
// # Why a bad session is never accepted
//
// Every V_i, U'_i and A'_i is first shown to lie in the group of prime order r:
// with a cofactor in play, points of small order would cancel with good
// odds. Where the backend checks the points together
// (backends.BatchSubgroup), a point outside passes with probability at most
// 2^-64, and even then it is only its component in the group that is judged:
// the pairing does not see the other. Within the group write the error of a
// session as δ_i, with e(V_i, Q)·e(U'_i + y_i·A'_i, s·Q) = g^δ_i, g = e(G1, Q).
// The equation holds iff Σ w_i·δ_i = 0 modulo r. If some δ_j is not zero, one
// value of w_j at most makes it hold for given other weights, and w_j is drawn
// from 2^128 − 1 values after all sessions are fixed: the error is below
// 2^-127 (Bellare, Garay and Rabin, EUROCRYPT 1998, section 3). Without weights
// two sessions with errors δ and −δ, V_1 + D and V_2 − D, would pass
// together. Each equation has fresh weights, so that the outcome of one teaches
// nothing about the next. In the other direction there is no error at all: a
// session is rejected by its own equation only.
//
// rand is the source of the weights and must be a cryptographic one; nil is
// the system's. Should it fail, sessions are checked one by one.
func (v *Verifier) VerifyBatch(sessions []Session, rand io.Reader) []error {
	logins := make([]login, len(sessions))
	for i, s := range sessions {
		logins[i] = login{id: s.Identity, transcript: s.Transcript}
	}
	return v.verifyLogins(logins, rand)
}

func (v *Verifier) verifyLogins(logins []login, rand io.Reader) []error {
	b := &batch{
		verifier: v,
		rand:     random(rand),
		lenient:  v.suite.group.lenient(),
		logins:   logins,
		verdicts: make([]error, len(logins)),
	}
	b.decide()
	return b.verdicts
}

// login is a session on its way through a batch: either a transcript in bytes,
// or a challenge, of which U was checked when it was drawn, and its answer.
type login struct {
	id         *Identity
	transcript *Transcript
	challenge  *Challenge
	answer     []byte

	// What the equation is about.
	u, v, a backends.G1
	y       backends.Scalar
}

// alone is what Verify says to the session.
func (l *login) alone(v *Verifier) error {
	if c := l.challenge; c != nil {
		return v.judge(c.id, c.date, c.u, c.y, l.answer)
	}
	return v.Verify(l.id, l.transcript)
}

// weightBits is the length of the random weights.
const weightBits = 128

// batch is one call of VerifyBatch.
type batch struct {
	verifier *Verifier
	rand     io.Reader
	lenient  backends.Backend
	logins   []login
	verdicts []error

	// Of the sessions that reached the equation.
	decided, bad int

	// Scratch of the equations, as long as the longest of them needs.
	points  []backends.G1
	scalars []backends.Scalar
	weights []byte
}

func (b *batch) decide() {
	if len(b.logins) == 1 {
		b.verdicts[0] = b.logins[0].alone(b.verifier)
		return
	}
	open := make([]int, 0, len(b.logins))
	for i := range b.logins {
		l := &b.logins[i]
		if b.read(l) {
			open = append(open, i)
		} else {
			// Rare, and cheap, as it fails before the equation: Verify finds
			// the same fault again and names it.
			b.verdicts[i] = l.alone(b.verifier)
		}
	}
	b.resolve(b.inSubgroup(open), false)
}

// read decodes a login, leaving the subgroup aside where that pays. It reports
// whether everything else was well formed.
func (b *batch) read(l *login) bool {
	s := b.verifier.suite
	id, date, answer := l.id, Date(0), l.answer
	if c := l.challenge; c != nil {
		id, date, l.u, l.y = c.id, c.date, c.u, c.y
	} else {
		var err error
		if !s.same(id.suite) {
			return false
		}
		date, answer = l.transcript.Date, l.transcript.V
		if l.u, err = s.dialect.decodeG1(b.lenient, l.transcript.U); err != nil || l.u.IsIdentity() {
			return false
		}
		if l.y, err = s.nonZeroScalar(l.transcript.Y); err != nil {
			return false
		}
	}
	var err error
	if l.v, err = s.dialect.decodeG1(b.lenient, answer); err != nil || l.v.IsIdentity() {
		return false
	}
	l.a, err = id.loginPoint(date)
	return err == nil
}

// checkAlone is the number of sessions below which the subgroup check goes
// through them one by one once it is known to fail.
const checkAlone = 32

// inSubgroup returns those of the given sessions whose U and V lie in the
// subgroup, and gives the others their verdicts.
func (b *batch) inSubgroup(open []int) []int {
	members := b.verifier.suite.group.members
	if members == nil || len(open) == 0 {
		return open // checked while decoding, or nothing to check
	}
	b.points = b.points[:0]
	for _, i := range open {
		l := &b.logins[i]
		b.points = append(b.points, l.v)
		if l.challenge == nil {
			b.points = append(b.points, l.u)
		}
	}
	switch {
	case members.InSubgroupG1(b.points...):
		return open
	case len(open) == 1:
		b.verdicts[open[0]] = b.logins[open[0]].alone(b.verifier)
		return nil
	}
	var in []int
	step := len(open) / 2
	if len(open) < checkAlone {
		step = 1
	}
	for ; len(open) > 0; open = open[min(step, len(open)):] {
		in = append(in, b.inSubgroup(open[:min(step, len(open))])...)
	}
	return in
}

const (
	// checkFew is the number of sessions up to which a set that is known to
	// have a bad one goes by single equations: halving it saves nothing.
	checkFew = 3
	// checkRest is the number of bad sessions found after which, if they are
	// more than one in five of those decided, the rest of the batch goes by
	// single equations.
	checkRest = 4
)

// resolve gives the given sessions their verdicts and reports whether there
// was a bad one. known tells that there is one: the equation of a larger set
// failed, and that of the rest of it did not.
func (b *batch) resolve(open []int, known bool) (bad bool) {
	switch {
	case len(open) <= 1, known && len(open) <= checkFew, b.bad >= checkRest && 5*b.bad > b.decided:
		return b.oneByOne(open)
	case !known && b.equation(open):
		b.decided += len(open)
		return false
	}
	half := len(open) / 2
	left := b.resolve(open[:half], false)
	right := b.resolve(open[half:], !left)
	return left || right
}

func (b *batch) oneByOne(open []int) (bad bool) {
	for _, i := range open {
		b.decided++
		if l := &b.logins[i]; !b.verifier.holds(l.v, l.u, l.a, l.y) {
			b.verdicts[i] = ErrRejected
			b.bad++
			bad = true
		}
	}
	return bad
}

// equation evaluates the weighted equation of the given sessions.
func (b *batch) equation(open []int) bool {
	if !b.draw(len(open)) {
		return false
	}
	n := len(open)
	b.points, b.scalars = b.points[:0], b.scalars[:0]
	for j, i := range open {
		b.points = append(b.points, b.logins[i].v)
		b.scalars = append(b.scalars, b.verifier.suite.backend.ReduceScalar(b.weight(j)))
	}
	group := &b.verifier.suite.group
	left := group.sum(b.points, b.scalars, n)
	for j, i := range open {
		b.points[j] = b.logins[i].u
	}
	for j, i := range open {
		b.points = append(b.points, b.logins[i].a)
		b.scalars = append(b.scalars, b.scalars[j].Mul(b.logins[i].y))
	}
	return b.verifier.check.PairingCheck(left, group.sum(b.points, b.scalars, n))
}

// draw fills weights with n fresh weights other than zero.
func (b *batch) draw(n int) bool {
	const size = weightBits / 8
	if cap(b.weights) < n*size {
		b.weights = make([]byte, n*size)
	}
	b.weights = b.weights[:n*size]
	if _, err := io.ReadFull(b.rand, b.weights); err != nil {
		return false
	}
	for j := range n {
		for tries := 0; zero(b.weight(j)); tries++ {
			if _, err := io.ReadFull(b.rand, b.weight(j)); err != nil || tries == 4 {
				return false
			}
		}
	}
	return true
}

func (b *batch) weight(j int) []byte {
	return b.weights[j*weightBits/8 : (j+1)*weightBits/8]
}

func zero(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}
