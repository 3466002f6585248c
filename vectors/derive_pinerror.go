package vectors

import (
	"mpinlab/backends"
	"mpinlab/protocol"
)

// pinError is entered − true if the two PINs explain the failure: if
// E·F^δ = 1, where E is the server's product and F = e(U + y·A, Q). As one
// product of pairings that is e(V + δ·(U + y·A), Q)·e(U' + y·A', s·Q) = 1,
// with Pa in Q's place where the client has a key pair.
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
	own := b.G2()
	if d.pair != nil {
		if own, err = d.s.DecodeG2(d.pair.Public().Bytes()); err != nil {
			return false, err
		}
	}
	return b.PairingCheck([]backends.G1{v.Add(f.Mul(k)), w.Add(a.Mul(y))}, []backends.G2{own, q}), nil
}
