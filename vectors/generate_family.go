package vectors

import (
	"fmt"

	"mpinlab/vectors/strictjson"
)

// signatureKinds are the kinds of signature. A wrong challenge there is a wrong
// message or time.
var signatureKinds = []kind{
	{name: "plain", masters: 2, accept: true},
	{name: "key-pair", flags: []string{"KeyPair"}, masters: 2, pair: true, accept: true},
	{name: "permit", flags: []string{"TimePermit"}, masters: 2, permit: true, accept: true},
	{name: "permit-key-pair", flags: []string{"TimePermit", "KeyPair"}, masters: 2, permit: true, pair: true, accept: true},
	{name: "wrong-pin", flags: []string{"WrongPIN"}, masters: 2, spoil: wrongPIN},
	{name: "key-pair-wrong-pin", flags: []string{"KeyPair", "WrongPIN"}, masters: 2, pair: true, spoil: wrongPIN},
	{name: "other-message", flags: []string{"WrongMessage"}, masters: 2, spoil: otherMessage},
	{name: "key-pair-other-message", flags: []string{"KeyPair", "WrongMessage"}, masters: 2, pair: true, spoil: otherMessage},
	{name: "other-time", flags: []string{"WrongTime"}, masters: 2, spoil: otherTime},
	{name: "wrong-identity", flags: []string{"WrongIdentity"}, masters: 2, spoil: wrongIdentity},
	{name: "expired-permit", flags: []string{"TimePermit", "ExpiredPermit"}, masters: 2, permit: true, spoil: expiredPermit},
	{name: "pin-zero", masters: 3, accept: true, spoil: pinZero},
	{name: "identity-in-v", flags: []string{"IdentityPoint"}, masters: 2, spoil: identityIn(func(in *In) *strictjson.Hex { return &in.V })},
	{name: "server-only", masters: 1, accept: true, spoil: serverOnly},
}

// family draws what only one protocol has.
func (g *generator) family(k kind, c *Case) {
	switch g.protocol {
	case "full":
		c.In.R, c.In.W = g.scalar(), g.scalar()
	case "signature":
		c.In.Message = g.message()
		if k.pair {
			c.In.Z = g.scalar()
		}
	}
}

// message is 1 to 100 bytes.
func (g *generator) message() strictjson.Hex {
	m := make([]byte, 1+g.rng.Uint64()%100)
	g.rng.Read(m)
	return m
}

// withoutChain leaves out what the logins' cases have too.
func withoutChain(o Out) Out {
	o.IdentityHash, o.IdentityPoint, o.PermitPoint = nil, nil, nil
	o.ClientSecretShares, o.PermitShares, o.ServerSecretShares = nil, nil, nil
	o.ClientSecret, o.Permit, o.ServerSecret = nil, nil, nil
	return o
}

// otherMessage changes the message after signing.
func otherMessage(g *generator, c *Case) error {
	if err := sign(g, c); err != nil {
		return err
	}
	c.In.Message = append(strictjson.Hex(nil), c.In.Message...)
	c.In.Message[0] ^= 1
	return nil
}

// otherTime changes the time after signing.
func otherTime(g *generator, c *Case) error {
	if err := sign(g, c); err != nil {
		return err
	}
	c.In.Time++
	return nil
}

// sign fixes the answer to what the case gives so far.
func sign(g *generator, c *Case) error {
	out, why := derive(g.s, c)
	if out.V == nil {
		return fmt.Errorf("no answer: %v", why)
	}
	c.In.V = out.V
	return nil
}
