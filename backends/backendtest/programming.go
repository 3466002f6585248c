package backendtest

import (
	"bytes"
	"fmt"
	"strings"

	"mpinlab/backends"
)

// programmingLaws are about misuse and about what operations leave alone.
var programmingLaws = []Law{
	{"elements of another backend panic", mixedLaw},
	{"slices of different lengths panic", func(b backends.Backend, _ Effort) error {
		return panics("one point of G1 and none of G2", "", func() { b.PairingCheck([]backends.G1{b.G1()}, nil) })
	}},
	{"operations leave their operands alone", immutableLaw},
}

// Elements of no backend at all.
type (
	strangeScalar struct{ backends.Scalar }
	strangeG1     struct{ backends.G1 }
	strangeG2     struct{ backends.G2 }
	strangeGT     struct{ backends.GT }
)

func mixedLaw(b backends.Backend, _ Effort) error {
	P, Q, k := b.G1(), b.G2(), backends.SmallScalar(b, 5)
	calls := map[string]func(){
		"Scalar.Add":                            func() { k.Add(strangeScalar{}) },
		"Scalar.Sub":                            func() { k.Sub(strangeScalar{}) },
		"Scalar.Mul":                            func() { k.Mul(strangeScalar{}) },
		"Scalar.Equal":                          func() { k.Equal(strangeScalar{}) },
		"G1.Add":                                func() { P.Add(strangeG1{}) },
		"G1.Sub":                                func() { P.Sub(strangeG1{}) },
		"G1.Mul":                                func() { P.Mul(strangeScalar{}) },
		"G1.Equal":                              func() { P.Equal(strangeG1{}) },
		"G2.Add":                                func() { Q.Add(strangeG2{}) },
		"G2.Sub":                                func() { Q.Sub(strangeG2{}) },
		"G2.Mul":                                func() { Q.Mul(strangeScalar{}) },
		"G2.Equal":                              func() { Q.Equal(strangeG2{}) },
		"PairingCheck of a strange point of G1": func() { b.PairingCheck([]backends.G1{strangeG1{}}, []backends.G2{Q}) },
		"PairingCheck of a strange point of G2": func() { b.PairingCheck([]backends.G1{P}, []backends.G2{strangeG2{}}) },
	}
	if f, ok := b.(backends.FixedG2); ok {
		calls["FixG2"] = func() { f.FixG2(strangeG2{}) }
		calls["FixedCheck.PairingCheck"] = func() { f.FixG2(Q).PairingCheck(strangeG1{}) }
	}
	if m, ok := b.(backends.MultiScalar); ok {
		calls["MultiScalarG1 of a strange point"] = func() { m.MultiScalarG1([]backends.G1{strangeG1{}}, []backends.Scalar{k}) }
		calls["MultiScalarG1 of a strange scalar"] = func() { m.MultiScalarG1([]backends.G1{P}, []backends.Scalar{strangeScalar{}}) }
	}
	if s, ok := b.(backends.ShortScalar); ok {
		calls["MulShort of a strange point"] = func() { s.MulShort(strangeG1{}, k, 14) }
		calls["MulShort of a strange scalar"] = func() { s.MulShort(P, strangeScalar{}, 14) }
	}
	if s, ok := b.(backends.BatchSubgroup); ok {
		calls["InSubgroupG1"] = func() { s.InSubgroupG1(strangeG1{}) }
	}
	if p, ok := b.(backends.Pairer); ok {
		g := p.Pair([]backends.G1{P}, []backends.G2{Q})
		calls["Pair"] = func() { p.Pair([]backends.G1{strangeG1{}}, []backends.G2{Q}) }
		calls["GT.Mul"] = func() { g.Mul(strangeGT{}) }
		calls["GT.Exp"] = func() { g.Exp(strangeScalar{}) }
		calls["GT.Equal"] = func() { g.Equal(strangeGT{}) }
	}
	if s, ok := b.(backends.Splitter); ok {
		calls["FinalExp"] = func() { s.FinalExp(struct{}{}) }
	}
	for what, call := range calls {
		if err := panics(what, "another backend", call); err != nil {
			return err
		}
	}
	return nil
}

// panics checks that f panics with a text that contains text.
func panics(what, text string, f func()) (err error) {
	defer func() {
		r := recover()
		if r == nil {
			err = fmt.Errorf("%s does not panic", what)
		} else if s, ok := r.(string); !ok || !strings.Contains(s, text) {
			err = fmt.Errorf("%s panics unclearly: %v", what, r)
		}
	}()
	f()
	return nil
}

// immutableLaw uses the same elements in every operation and looks at their
// bytes afterwards.
func immutableLaw(b backends.Backend, _ Effort) error {
	k, l := backends.SmallScalar(b, 0xdeadbeef), backends.SmallScalar(b, 3).Neg()
	P, Q := b.G1().Mul(k), b.G2().Mul(l)
	P2, Q2 := P.Add(b.G1()), Q.Add(b.G2())
	state := func() []byte {
		return bytes.Join([][]byte{k.Bytes(), l.Bytes(), P.Bytes(), Q.Bytes(), P2.Bytes(), Q2.Bytes(),
			b.G1().Bytes(), b.G2().Bytes(), P.BytesCompressed(), Q.BytesCompressed()}, nil)
	}
	before := state()
	k.Add(l)
	k.Sub(l)
	k.Mul(l)
	k.Neg()
	k.Inverse()
	k.Equal(l)
	P.Add(P2)
	P.Sub(P2)
	P.Neg()
	P.Mul(k)
	P.Equal(P2)
	P.IsIdentity()
	Q.Add(Q2)
	Q.Sub(Q2)
	Q.Neg()
	Q.Mul(k)
	Q.Equal(Q2)
	Q.IsIdentity()
	b.PairingCheck([]backends.G1{P, P2, P}, []backends.G2{Q, Q2, Q})
	if f, ok := b.(backends.FixedG2); ok {
		f.FixG2(Q, Q2).PairingCheck(P, P2)
	}
	if m, ok := b.(backends.MultiScalar); ok {
		m.MultiScalarG1([]backends.G1{P, P2}, []backends.Scalar{k, l})
	}
	if s, ok := b.(backends.ShortScalar); ok {
		s.MulShort(P, k, 32)
	}
	if s, ok := b.(backends.BatchSubgroup); ok {
		s.InSubgroupG1(P, P2)
	}
	if p, ok := b.(backends.Pairer); ok {
		g := p.Pair([]backends.G1{P}, []backends.G2{Q})
		was := g.Bytes()
		g.Mul(g)
		g.Exp(k)
		g.Inverse()
		g.Equal(g)
		if !bytes.Equal(was, g.Bytes()) {
			return fmt.Errorf("an operation changed an element of GT")
		}
	}
	if s, ok := b.(backends.Splitter); ok {
		m := s.MillerLoop([]backends.G1{P}, []backends.G2{Q})
		if !s.FinalExp(m).Equal(s.FinalExp(m)) {
			return fmt.Errorf("FinalExp changed its operand")
		}
	}
	if !bytes.Equal(before, state()) {
		return fmt.Errorf("an operation changed an operand")
	}
	return nil
}
