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
			if prover, err = d.s.NewProver(d.id, d.whole, d.boundPermit(), nonce(d.s, x)); err != nil {
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
		// The hash is over the uncompressed encoding.
		if p, err := d.s.DecodeG1(commitment); err == nil {
			commitment = d.s.EncodeG1(p)
		}
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
	var accept bool
	if d.pair != nil {
		accept = v.VerifyKey(d.id, d.pair.Public(), t) == nil
	} else {
		accept = v.Verify(d.id, t) == nil
	}
	d.out.Accept = &accept
	if !accept {
		d.pinError()
	}
}

// nonce makes a source from which a Prover draws exactly x: its bytes after
// as many zeros as backends.RandomScalar reads beyond them.
func nonce(s *protocol.Suite, x backends.Scalar) io.Reader {
	buf := make([]byte, (s.ID().Curve.Params().R.BitLen()+128+7)/8)
	b := x.Bytes()
	copy(buf[len(buf)-len(b):], b)
	return bytes.NewReader(buf)
}
