package vectors

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"mpinlab/backends"
	"mpinlab/protocol"
	"mpinlab/vectors/strictjson"
)

// Generated are the protocols that Generate knows, in the order in which it
// writes them.
var Generated = []string{"two-pass", "one-pass", "full", "signature", "decode"}

// Generate makes a file of known answers for a suite. The same seed gives the
// same file on every backend of the suite. cases is the number of cases of
// each protocol but decode, which has one for each way to be wrong.
func Generate(s *protocol.Suite, wanted []string, cases int, seed []byte) (*File, error) {
	for _, p := range wanted {
		if !slices.Contains(Generated, p) {
			return nil, fmt.Errorf("unknown protocol %q; there are %s", p, strings.Join(Generated, ", "))
		}
	}
	if cases < 1 || cases > strictjson.MaxElements/len(Generated) {
		return nil, fmt.Errorf("the number of cases is 1 to %d, not %d", strictjson.MaxElements/len(Generated), cases)
	}
	f := &File{
		Format: Format,
		Suite:  s.ID().String(),
		Source: fmt.Sprintf("mpin vectors generate, seed %x", seed),
	}
	for _, p := range Generated {
		if !slices.Contains(wanted, p) {
			continue
		}
		g := &generator{s: s, protocol: p, rng: rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "%x %s %s", seed, s.ID(), p)))}
		var made []Case
		var err error
		switch {
		case p == "decode":
			made, err = g.decodeCases()
		case lacks(s, p) == noPairing:
			err = protocol.ErrNoFull
		case lacks(s, p) != "":
			continue // the suite has none
		case p == "signature":
			made, err = g.loginCases(signatureKinds, cases)
		default:
			made, err = g.loginCases(kinds, cases)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		f.Cases = append(f.Cases, made...)
	}
	if len(f.Cases) == 0 {
		return nil, fmt.Errorf("suite %s has none of the protocols %s", s.ID(), strings.Join(wanted, ", "))
	}
	f.Notes = map[string]string{}
	for _, c := range f.Cases {
		for _, flag := range c.Flags {
			f.Notes[flag] = Flags[flag]
		}
	}
	return f, nil
}

// Bytes returns the file as it is written.
func (f *File) Bytes() ([]byte, error) {
	b, err := json.MarshalIndent(f, "", " ")
	return append(b, '\n'), err
}

// generator makes the cases of one protocol.
type generator struct {
	s        *protocol.Suite
	protocol string
	rng      *rand.ChaCha8
}

// kind is a kind of login case: what is done to a good one.
type kind struct {
	name    string
	flags   []string
	masters int
	permit  bool
	pair    bool // of signatures: the client has a key pair
	spoil   func(g *generator, c *Case) error
	accept  bool
}

var kinds = []kind{
	{name: "plain", masters: 2, accept: true},
	{name: "permit", flags: []string{"TimePermit"}, masters: 2, permit: true, accept: true},
	{name: "wrong-pin", flags: []string{"WrongPIN"}, masters: 2, spoil: wrongPIN},
	{name: "permit-wrong-pin", flags: []string{"TimePermit", "WrongPIN"}, masters: 2, permit: true, spoil: wrongPIN},
	{name: "wrong-identity", flags: []string{"WrongIdentity"}, masters: 2, spoil: wrongIdentity},
	{name: "expired-permit", flags: []string{"TimePermit", "ExpiredPermit"}, masters: 2, permit: true, spoil: expiredPermit},
	{name: "three-authorities", masters: 3, accept: true},
	{name: "permit-three-authorities", flags: []string{"TimePermit"}, masters: 3, permit: true, accept: true},
	{name: "one-authority", masters: 1, accept: true},
	{name: "wrong-token", flags: []string{"WrongToken"}, masters: 2, spoil: wrongToken},
	{name: "pin-zero", masters: 2, accept: true, spoil: pinZero},
	{name: "identity-in-u", flags: []string{"IdentityPoint"}, masters: 2, spoil: identityIn(func(in *In) *strictjson.Hex { return &in.U })},
	{name: "identity-in-v", flags: []string{"IdentityPoint"}, masters: 2, spoil: identityIn(func(in *In) *strictjson.Hex { return &in.V })},
	{name: "server-only", masters: 0, accept: true, spoil: serverOnly},
}

// loginCases makes n cases, going round the kinds that the suite has.
func (g *generator) loginCases(kinds []kind, n int) ([]Case, error) {
	var cases []Case
	for i := 0; len(cases) < n; i++ {
		k := kinds[i%len(kinds)]
		if k.permit && !g.s.ID().TimePermits() {
			continue
		}
		c, err := g.login(k)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.name, err)
		}
		c.ID = fmt.Sprintf("%s-%s-%03d", g.protocol, k.name, len(cases)+1)
		cases = append(cases, *c)
	}
	return cases, nil
}

// login makes one case of the given kind.
func (g *generator) login(k kind) (*Case, error) {
	setup := g.pin()
	entered := setup
	c := &Case{Protocol: g.protocol, Flags: k.flags, In: In{
		Identity: g.identity(), PINSetup: &setup, PINLogin: &entered, X: g.scalar(),
	}}
	for range max(k.masters, 1) {
		c.In.MasterSecrets = append(c.In.MasterSecrets, g.scalar())
	}
	if g.protocol == "one-pass" || g.protocol == "signature" {
		c.In.Time = 1_790_000_000 + int64(g.rng.Uint64()%1_000_000)
	} else {
		c.In.Y = g.scalar()
	}
	g.family(k, c)
	if k.permit {
		c.In.Date = 20_000 + int32(g.rng.Uint64()%2000)
	}
	if k.spoil != nil {
		if err := k.spoil(g, c); err != nil {
			return nil, err
		}
	}
	out, why := derive(g.s, c)
	if out.Accept == nil || *out.Accept != k.accept {
		return nil, fmt.Errorf("the login should be accepted: %v; %v", k.accept, why)
	}
	c.Out = *out
	if g.protocol == "full" || g.protocol == "signature" {
		c.Out = withoutChain(c.Out)
	}
	return c, nil
}

func (g *generator) scalar() strictjson.Hex {
	k, err := backends.RandomScalar(g.s.Backend(), g.rng)
	if err != nil {
		panic(err) // the generator's source does not run dry
	}
	return g.s.EncodeScalar(k)
}

func (g *generator) pin() int64 { return 1 + int64(g.rng.Uint64()%9999) }

func (g *generator) identity() strictjson.Hex {
	var salt [8]byte
	g.rng.Read(salt[:])
	return fmt.Appendf(nil, `{"mobile":1,"issued":"2026-11-23 09:00:00.000000","userID":"user%d@example.com","salt":"%s"}`,
		g.rng.Uint64()%1000, hex.EncodeToString(salt[:]))
}

// The spoilers.

func wrongPIN(g *generator, c *Case) error {
	entered := (*c.In.PINSetup + 1 + int64(g.rng.Uint64()%9999)) % 10000
	c.In.PINLogin = &entered
	return nil
}

func pinZero(_ *generator, c *Case) error {
	zero := int64(0)
	c.In.PINSetup, c.In.PINLogin = &zero, &zero
	return nil
}

// wrongIdentity gives the token of another identity.
func wrongIdentity(g *generator, c *Case) error {
	other := *c
	other.In.Identity = g.identity()
	out, why := derive(g.s, &other)
	if out.Token == nil {
		return fmt.Errorf("no token: %v", why)
	}
	c.In.Token = out.Token
	return nil
}

// wrongToken gives the token of other authorities.
func wrongToken(g *generator, c *Case) error {
	other := *c
	other.In.MasterSecrets = []strictjson.Hex{g.scalar(), g.scalar()}
	out, why := derive(g.s, &other)
	if out.Token == nil {
		return fmt.Errorf("no token: %v", why)
	}
	c.In.Token = out.Token
	return nil
}

// expiredPermit gives the permit of the day before.
func expiredPermit(g *generator, c *Case) error {
	other := *c
	other.In.Date--
	out, why := derive(g.s, &other)
	if out.Permit == nil {
		return fmt.Errorf("no permit: %v", why)
	}
	c.In.Permit = out.Permit
	return nil
}

// identityIn puts the identity in the place of a message.
func identityIn(field func(*In) *strictjson.Hex) func(*generator, *Case) error {
	return func(g *generator, c *Case) error {
		p := g.s.Backend().G1()
		*field(&c.In) = g.s.EncodeG1(p.Sub(p))
		return nil
	}
}

// serverOnly keeps of a good login what the server sees.
func serverOnly(g *generator, c *Case) error {
	out, why := derive(g.s, c)
	if out.V == nil {
		return fmt.Errorf("no answer: %v", why)
	}
	c.In = In{Identity: c.In.Identity, ServerSecret: out.ServerSecret, Time: c.In.Time, Y: c.In.Y, U: out.U, V: out.V,
		Message: c.In.Message, R: c.In.R, W: c.In.W}
	return nil
}
