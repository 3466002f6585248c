package vectors

import (
	"fmt"

	"mpinlab/backends"
	"mpinlab/protocol"
	"mpinlab/vectors/strictjson"
)

// keyPair is the client's own, of signatures without key escrow.
func (d *derivation) keyPair() {
	if d.in.Z == nil {
		return
	}
	pair, err := d.s.DecodeKeyPair(d.in.Z)
	if err != nil {
		d.fail("public_key", fmt.Errorf("z: %w", err))
		return
	}
	d.pair = pair
	d.out.PublicKey = pair.Public().Bytes()
}

// boundPermit is the permit as the client adds it to its secret.
func (d *derivation) boundPermit() *protocol.Permit {
	if d.pair == nil || d.permits == nil {
		return d.permits
	}
	bound, err := d.pair.BindPermit(d.permits)
	if err != nil {
		d.fail("secret", err)
		return d.permits
	}
	return bound
}

// agreement is what M-Pin Full adds to a login. Each side's key is computed
// whatever the verdict.
func (d *derivation) agreement() {
	if d.id == nil {
		return
	}
	d.out.RPoint = d.multiple("r_point", d.in.R, d.id.Point())
	if login := d.loginPoint(); login != nil {
		d.out.WPoint = d.multiple("w_point", d.in.W, login)
	}
	t := &protocol.FullTranscript{
		Transcript: protocol.Transcript{Date: protocol.Date(d.in.Date), U: d.commitment(), Y: d.out.Y, V: d.out.V},
		R:          d.out.RPoint, W: d.out.WPoint,
	}
	for _, b := range []strictjson.Hex{t.U, t.Y, t.V, t.R, t.W} {
		if b == nil {
			return
		}
	}
	hash, err := d.s.FullTranscriptHash(d.id, t)
	if err != nil {
		d.fail("transcript_hash", err)
		return
	}
	d.out.TranscriptHash = hash
	if d.tok != nil && d.in.PINLogin != nil && d.in.X != nil {
		if d.out.ClientKey, err = d.clientKey(t); err != nil {
			d.fail("client_key", err)
		}
	}
	if d.server != nil {
		if d.out.ServerKey, err = d.serverKey(t); err != nil {
			d.fail("server_key", err)
		}
	}
}

func (d *derivation) clientKey(t *protocol.FullTranscript) ([]byte, error) {
	token, err := d.s.NewFullToken(d.id, d.tok)
	if err != nil {
		return nil, err
	}
	pin, err := pinFactor(d.s, *d.in.PINLogin)
	if err != nil {
		return nil, err
	}
	key, err := token.Key(t, d.in.X, d.in.R, pin)
	if err != nil {
		return nil, err
	}
	return key.Unconfirmed(), nil
}

func (d *derivation) serverKey(t *protocol.FullTranscript) ([]byte, error) {
	v, err := d.s.NewVerifier(d.server)
	if err != nil {
		return nil, err
	}
	key, err := v.FullKey(d.id, t, d.in.W)
	if err != nil {
		return nil, err
	}
	return key.Unconfirmed(), nil
}

// multiple is k·p encoded, or nothing without a k.
func (d *derivation) multiple(field string, k strictjson.Hex, p backends.G1) strictjson.Hex {
	if k == nil {
		return nil
	}
	scalar, err := d.s.DecodeScalar(k)
	if err != nil {
		d.fail(field, err)
		return nil
	}
	return d.s.EncodeG1(p.Mul(scalar))
}

// loginPoint is A', or nil where the day has no permit point.
func (d *derivation) loginPoint() backends.G1 {
	a := d.id.Point()
	if d.in.Date == 0 {
		return a
	}
	t, err := d.id.PermitPoint(protocol.Date(d.in.Date))
	if err != nil {
		d.fail("w_point", err)
		return nil
	}
	return a.Add(t)
}
