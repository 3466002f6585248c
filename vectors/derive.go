package vectors

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"mpinlab/backends"
	"mpinlab/protocol"
	"mpinlab/vectors/strictjson"
)

// derive computes everything that follows from what a two-pass or one-pass
// case gives. What cannot be computed is absent from the result; why says so
// by field.
func derive(s *protocol.Suite, c *Case) (out *Out, why map[string]error) {
	d := &derivation{s: s, in: &c.In, onePass: c.Protocol == "one-pass", out: &Out{}, why: map[string]error{}}
	if c.In.DST != "" {
		var err error
		if d.s, err = s.WithIdentityDST(c.In.DST); err != nil {
			d.why[""] = err
			return d.out, d.why
		}
	}
	for _, step := range []func(){d.identity, d.clientSecret, d.permit, d.serverSecret, d.token, d.secret, d.proof, d.verdict} {
		step()
	}
	return d.out, d.why
}

// derivation is the chain from master secrets to verdict. A step that lacks
// what it needs leaves its results nil.
type derivation struct {
	s       *protocol.Suite
	in      *In
	onePass bool
	out     *Out
	why     map[string]error

	id      *protocol.Identity
	masters []*protocol.MasterSecret
	client  *protocol.ClientSecret
	permits *protocol.Permit
	server  *protocol.ServerSecret
	tok     *protocol.Token
	whole   *protocol.ClientSecret
}

func (d *derivation) fail(field string, err error) { d.why[field] = err }

func (d *derivation) identity() {
	for i, b := range d.in.MasterSecrets {
		m, err := d.s.DecodeMasterSecret(b)
		if err != nil {
			d.fail("client_secret", fmt.Errorf("master_secrets[%d]: %w", i, err))
			d.masters = nil
			break
		}
		d.masters = append(d.masters, m)
	}
	if d.in.Identity == nil {
		return
	}
	id, err := d.s.Identity(d.in.Identity)
	if err != nil {
		d.fail("identity_point", err)
		return
	}
	d.id = id
	d.out.IdentityHash = id.Hash()
	d.out.IdentityPoint = d.s.EncodeG1(id.Point())
	if d.in.Date != 0 {
		p, err := id.PermitPoint(protocol.Date(d.in.Date))
		if err != nil {
			d.fail("permit_point", err)
			return
		}
		d.out.PermitPoint = d.s.EncodeG1(p)
	}
}

func (d *derivation) clientSecret() {
	var shares []*protocol.ClientSecret
	for _, m := range d.masters {
		if d.id == nil {
			break
		}
		share, err := m.ClientShare(d.id)
		if err != nil {
			d.fail("client_secret", err)
			return
		}
		shares = append(shares, share)
		d.out.ClientSecretShares = append(d.out.ClientSecretShares, share.Bytes())
	}
	var err error
	switch {
	case d.in.ClientSecret != nil:
		d.client, err = d.s.DecodeClientSecret(d.in.ClientSecret)
	case shares != nil:
		d.client, err = protocol.CombineClientSecrets(shares...)
	default:
		return
	}
	if err != nil {
		d.fail("client_secret", err)
		return
	}
	d.out.ClientSecret = d.client.Bytes()
}

func (d *derivation) permit() {
	if d.in.Date == 0 {
		return
	}
	var shares []*protocol.Permit
	for _, m := range d.masters {
		if d.id == nil {
			break
		}
		share, err := m.PermitShare(d.id, protocol.Date(d.in.Date))
		if err != nil {
			d.fail("permit", err)
			return
		}
		shares = append(shares, share)
		d.out.PermitShares = append(d.out.PermitShares, share.Bytes())
	}
	var err error
	switch {
	case d.in.Permit != nil:
		d.permits, err = d.s.DecodePermit(protocol.Date(d.in.Date), d.in.Permit)
	case shares != nil:
		d.permits, err = protocol.CombinePermits(shares...)
	default:
		return
	}
	if err != nil {
		d.fail("permit", err)
		return
	}
	d.out.Permit = d.permits.Bytes()
}

func (d *derivation) serverSecret() {
	var shares []*protocol.ServerSecret
	for _, m := range d.masters {
		share := m.ServerShare()
		shares = append(shares, share)
		d.out.ServerSecretShares = append(d.out.ServerSecretShares, share.Bytes())
	}
	var err error
	switch {
	case d.in.ServerSecret != nil:
		d.server, err = d.s.DecodeServerSecret(d.in.ServerSecret)
	case shares != nil:
		d.server, err = protocol.CombineServerSecrets(shares...)
	default:
		return
	}
	if err != nil {
		d.fail("server_secret", err)
		return
	}
	d.out.ServerSecret = d.server.Bytes()
}

func (d *derivation) token() {
	var err error
	switch {
	case d.in.Token != nil:
		d.tok, err = d.s.DecodeToken(d.in.Token)
	case d.client != nil && d.id != nil && d.in.PINSetup != nil:
		var pin protocol.Factor
		if pin, err = pinFactor(d.s, *d.in.PINSetup); err == nil {
			d.tok, err = d.client.Token(d.id, pin)
		}
	default:
		return
	}
	if err != nil {
		d.fail("token", err)
		return
	}
	d.out.Token = d.tok.Bytes()
}

// pinFactor takes a PIN as a number with as few digits as a PIN may have.
func pinFactor(s *protocol.Suite, pin int64) (protocol.Factor, error) {
	digits := max(4, len(fmt.Sprint(pin)))
	return s.PINNumber(uint64(pin), digits)
}

func (d *derivation) secret() {
	if d.tok == nil || d.id == nil || d.in.PINLogin == nil {
		return
	}
	pin, err := pinFactor(d.s, *d.in.PINLogin)
	if err == nil {
		d.whole, err = d.tok.Secret(d.id, pin)
	}
	if err != nil {
		d.fail("secret", err)
		return
	}
	p, err := d.s.DecodeG1(d.whole.Bytes())
	if err == nil && d.permits != nil {
		var t backends.G1
		if t, err = d.s.DecodeG1(d.permits.Bytes()); err == nil {
			p = p.Add(t)
		}
	}
	if err != nil {
		d.fail("secret", err)
		return
	}
	d.out.Secret = d.s.EncodeG1(p)
}

// proof is the client's part of the login.
func (d *derivation) proof() {
	var prover *protocol.Prover
	if d.in.X != nil && d.id != nil {
		x, err := d.s.DecodeScalar(d.in.X)
		switch {
		case err == nil && x.IsZero():
			err = protocol.ErrZeroScalar
			fallthrough
		case err != nil:
			d.fail("u", fmt.Errorf("x: %w", err))
		case d.whole != nil && (d.in.Date == 0 || d.permits != nil):
			if prover, err = d.s.NewProver(d.id, d.whole, d.permits, nonce(d.s, x)); err != nil {
				d.fail("u", err)
				break
			}
			d.out.U, d.out.UT = prover.Pass1().U, prover.Pass1().UT
		default:
			d.commit(x)
		}
	}
	// What is given stands in the place of what was computed.
	d.out.U, d.out.UT = given(d.in.U, d.out.U), given(d.in.UT, d.out.UT)
	d.challenge()
	if prover != nil && d.out.Y != nil {
		v, err := prover.Pass2(d.out.Y)
		if err != nil {
			d.fail("v", err)
		}
		d.out.V = v
	}
	d.out.V = given(d.in.V, d.out.V)
}

// commit computes U and U_T without a secret at hand.
func (d *derivation) commit(x backends.Scalar) {
	d.out.U = d.s.EncodeG1(d.id.Point().Mul(x))
	if d.out.PermitPoint != nil {
		t, err := d.s.DecodeG1(d.out.PermitPoint)
		if err != nil {
			d.fail("ut", err)
			return
		}
		d.out.UT = d.s.EncodeG1(d.id.Point().Add(t).Mul(x))
	}
}

func given(in, computed strictjson.Hex) strictjson.Hex {
	if in != nil {
		return in
	}
	return computed
}

// challenge takes y as it is given, or in one-pass computes it.
func (d *derivation) challenge() {
	switch commitment := d.commitment(); {
	case d.in.Y != nil:
		d.out.Y = d.in.Y
	case d.onePass && d.id != nil && commitment != nil:
		y, err := d.s.OnePassChallenge(d.id, d.in.Time, commitment, d.in.Message)
		if err != nil {
			d.fail("y", err)
			return
		}
		d.out.Y = y
	}
}

// commitment is U', what the server's equation uses.
func (d *derivation) commitment() strictjson.Hex {
	if d.in.Date != 0 {
		return d.out.UT
	}
	return d.out.U
}

// verdict is the server's part.
func (d *derivation) verdict() {
	if d.server == nil || d.id == nil || d.commitment() == nil || d.out.Y == nil || d.out.V == nil {
		d.fail("accept", errors.New("needs server_secret, identity, commitment, challenge and answer"))
		return
	}
	v, err := d.s.NewVerifier(d.server)
	if err != nil {
		d.fail("accept", err)
		return
	}
	t := &protocol.Transcript{Date: protocol.Date(d.in.Date), U: d.commitment(), Y: d.out.Y, V: d.out.V}
	accept := v.Verify(d.id, t) == nil
	d.out.Accept = &accept
	if !accept {
		d.pinError()
	}
}

// pinError is entered − true if the two PINs explain the failure: if
// E·F^δ = 1, where E is the server's product and F = e(U + y·A, Q). As one
// product of pairings that is e(V + δ·(U + y·A), Q)·e(U' + y·A', s·Q) = 1.
func (d *derivation) pinError() {
	if d.in.PINSetup == nil || d.in.PINLogin == nil || d.out.U == nil {
		return
	}
	delta := *d.in.PINLogin - *d.in.PINSetup
	if d.s.ID().Dialect != protocol.RFC9380 {
		delta = *d.in.PINLogin%10000 - *d.in.PINSetup%10000
	}
	ok, err := d.explains(delta)
	if err != nil || !ok || delta == 0 {
		return
	}
	d.out.PINError = &delta
}

func (d *derivation) explains(delta int64) (bool, error) {
	b := d.s.Backend()
	u, err := d.s.DecodeG1(d.out.U)
	if err != nil {
		return false, err
	}
	w, err := d.s.DecodeG1(d.commitment())
	if err != nil {
		return false, err
	}
	v, err := d.s.DecodeG1(d.out.V)
	if err != nil {
		return false, err
	}
	y, err := d.s.DecodeScalar(d.out.Y)
	if err != nil {
		return false, err
	}
	q, err := d.s.DecodeG2(d.out.ServerSecret)
	if err != nil {
		return false, err
	}
	k := backends.SmallScalar(b, uint64(max(delta, -delta)))
	if delta < 0 {
		k = k.Neg()
	}
	a := d.id.Point()
	f := u.Add(a.Mul(y))
	if d.in.Date != 0 {
		t, err := d.s.DecodeG1(d.out.PermitPoint)
		if err != nil {
			return false, err
		}
		a = a.Add(t)
	}
	return b.PairingCheck([]backends.G1{v.Add(f.Mul(k)), w.Add(a.Mul(y))}, []backends.G2{b.G2(), q}), nil
}

// nonce makes a source from which a Prover draws exactly x: its bytes after
// as many zeros as backends.RandomScalar reads beyond them.
func nonce(s *protocol.Suite, x backends.Scalar) io.Reader {
	buf := make([]byte, (s.ID().Curve.Params().R.BitLen()+128+7)/8)
	b := x.Bytes()
	copy(buf[len(buf)-len(b):], b)
	return bytes.NewReader(buf)
}

// deriveDecode computes the outcome of a decode case.
func deriveDecode(s *protocol.Suite, c *Case) *Out {
	var canonical []byte
	var err error
	switch c.In.Group {
	case "g1":
		var p backends.G1
		if p, err = s.DecodeG1(c.In.Bytes); err == nil {
			canonical = s.EncodeG1(p)
		}
	case "g2":
		var p backends.G2
		if p, err = s.DecodeG2(c.In.Bytes); err == nil {
			canonical = s.EncodeG2(p)
		}
	case "scalar":
		var k backends.Scalar
		if k, err = s.DecodeScalar(c.In.Bytes); err == nil {
			canonical = s.EncodeScalar(k)
		}
	}
	valid := err == nil
	return &Out{Valid: &valid, Error: errorName(err), Canonical: canonical}
}

// errorName is the name of a decoder's error in decode cases.
func errorName(err error) string {
	if err == nil {
		return ""
	}
	for i, kind := range []error{backends.ErrLength, backends.ErrFlags, backends.ErrNotCanonical, backends.ErrNotOnCurve,
		backends.ErrNotInSubgroup, protocol.ErrIdentityPoint} {
		if errors.Is(err, kind) {
			return decodeErrors[i]
		}
	}
	return "an error of no named kind: " + err.Error()
}
