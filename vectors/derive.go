package vectors

import (
	"fmt"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// derive computes everything that follows from what a case of a login, a key
// agreement or a signature gives. What cannot be computed is absent from the result; why says so
// by field.
func derive(s *protocol.Suite, c *Case) (out *Out, why map[string]error) {
	d := &derivation{s: s, in: &c.In, onePass: c.Protocol == "one-pass" || c.Protocol == "signature", out: &Out{}, why: map[string]error{}}
	if c.In.DST != "" {
		var err error
		if d.s, err = s.WithIdentityDST(c.In.DST); err != nil {
			d.why[""] = err
			return d.out, d.why
		}
	}
	steps := []func(){d.identity, d.keyPair, d.clientSecret, d.permit, d.serverSecret, d.token, d.secret, d.proof, d.verdict}
	if c.Protocol == "full" {
		steps = append(steps, d.agreement)
	}
	for _, step := range steps {
		step()
	}
	return d.out, d.why
}

// derivation is the chain from master secrets to verdict. A step that lacks
// what it needs leaves its results nil.
type derivation struct {
	s       *protocol.Suite
	in      *In
	onePass bool // y is a hash
	out     *Out
	why     map[string]error

	id      *protocol.Identity
	masters []*protocol.MasterSecret
	pair    *protocol.KeyPair
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
			client := d.client
			if d.pair != nil {
				client, err = d.pair.BindSecret(client)
			}
			if err == nil {
				d.tok, err = client.Token(d.id, pin)
			}
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
		if t, err = d.s.DecodeG1(d.boundPermit().Bytes()); err == nil {
			p = p.Add(t)
		}
	}
	if err != nil {
		d.fail("secret", err)
		return
	}
	d.out.Secret = d.s.EncodeG1(p)
}
