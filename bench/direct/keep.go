package direct

import (
	"math/big"

	"mpinlab/backends"
	"mpinlab/bench/inputs"
)

// keep makes an Op whose Run writes result i of type T where it stays until
// Result turns it into bytes.
func keep[T any](run func(i int, r *T), result func(i int, r *T) []byte) *Op {
	var kept [inputs.Count]T
	return &Op{
		Run:    func(i int) { run(i, &kept[i]) },
		Result: func(i int) []byte { return result(i, &kept[i]) },
	}
}

// keepVerdict makes an Op whose results are truths.
func keepVerdict(run func(i int) bool) *Op {
	return keep(func(i int, r *bool) { *r = run(i) }, func(_ int, r *bool) []byte { return Verdict(*r) })
}

// builds makes Builds of operations on D, the inputs in one library's types.
func builds[D any](load func(*inputs.Group) (D, error), ops map[string]func(d D, n int) *Op) map[string]Build {
	m := make(map[string]Build, len(ops))
	for name, op := range ops {
		m[name] = func(in *inputs.Group, n int) (*Op, error) {
			d, err := load(in)
			if err != nil {
				return nil, err
			}
			return op(d, n), nil
		}
	}
	return m
}

// server makes an Op of a library's ServerVerify.
func server(in *inputs.Protocol, verify func(login *inputs.User) bool) *Op {
	return keepVerdict(func(i int) bool { return verify(&in.Users[i]) })
}

// each decodes a list.
func each[T any](list [][]byte, decode func([]byte) (T, error)) ([]T, error) {
	out := make([]T, len(list))
	for i, b := range list {
		var err error
		if out[i], err = decode(b); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// twice returns the list followed by itself, so that every window of up to its
// length that starts in the first half is there in one piece.
func twice[T any](list []T) []T { return append(list[:len(list):len(list)], list...) }

// product returns a·b modulo the order of the curve's groups, as long as the
// order.
func product(c backends.Curve, a, b []byte) []byte {
	p := c.Params()
	v := new(big.Int).SetBytes(a)
	v.Mul(v, new(big.Int).SetBytes(b)).Mod(v, p.R)
	return v.FillBytes(make([]byte, p.ScalarBytes))
}

// identityDST is the tag under which the rfc9380 dialect hashes identities.
func identityDST(c backends.Curve) []byte {
	return []byte("MPIN-V01-CS01-ID-with-" + c.Params().HashName)
}
