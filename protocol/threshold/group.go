package threshold

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// MaxMembers is the greatest number of D-TAs, and the greatest index.
const MaxMembers = 255

// Group is what all D-TAs know of a sharing: the threshold, the epoch, who the
// members are, and the commitments C_k = c_k·Q to the polynomial of which the
// shares are values. C_0 is the server secret: a Group is no secret among
// D-TAs and servers, and one to everybody else (see the package comment). It
// is immutable and safe for concurrent use.
type Group struct {
	suite   *protocol.Suite
	t       int
	epoch   uint32
	members []int
	points  commitments
	id      [idLength]byte
	shares  *shareCache
}

// shareCache keeps the points s_i·Q that were computed.
type shareCache struct {
	sync.Mutex
	at [MaxMembers + 1]backends.G2
}

// newGroup makes a group of checked parts. Members are sorted.
func newGroup(s *protocol.Suite, t int, epoch uint32, members []int, points commitments) (*Group, error) {
	g := &Group{suite: s, t: t, epoch: epoch, members: members, points: points, shares: &shareCache{}}
	h := sha256.New()
	h.Write([]byte("MPIN-V01-CS01-DTA-GROUP"))
	h.Write(header(s, typeGroup))
	h.Write(binary.BigEndian.AppendUint32(nil, epoch))
	for _, p := range points {
		if p.IsIdentity() {
			return nil, fmt.Errorf("commitments of the group: %w", protocol.ErrIdentityPoint)
		}
		h.Write(s.EncodeG2(p))
	}
	h.Sum(g.id[:0])
	return g, nil
}

// Suite returns the suite.
func (g *Group) Suite() *protocol.Suite { return g.suite }

// Threshold returns t.
func (g *Group) Threshold() int { return g.t }

// Epoch returns the number of the sharing: 1 after its generation, one more
// after each refresh and resharing.
func (g *Group) Epoch() uint32 { return g.epoch }

// Members returns the members' indices in increasing order.
func (g *Group) Members() []int { return slices.Clone(g.members) }

// ID is a hash of suite, epoch and commitments. Members compare it after a
// ceremony over a channel of their own: equal IDs mean that the broadcast
// showed them the same thing.
func (g *Group) ID() [32]byte { return g.id }

// ServerSecret returns s·Q, the constant commitment. Nobody knows s.
func (g *Group) ServerSecret() *protocol.ServerSecret {
	q, err := g.suite.ServerSecretOf(g.points[0])
	if err != nil {
		panic(err) // newGroup lets no identity in
	}
	return q
}

// PublicShare returns s_i·Q of a member, computed from the commitments. Error:
// ErrIndex.
func (g *Group) PublicShare(index int) (backends.G2, error) {
	if !slices.Contains(g.members, index) {
		return nil, fmt.Errorf("%w: %d is not a member", ErrIndex, index)
	}
	return g.publicShare(index), nil
}

func (g *Group) publicShare(index int) backends.G2 {
	g.shares.Lock()
	defer g.shares.Unlock()
	if g.shares.at[index] == nil {
		g.shares.at[index] = g.points.at(index)
	}
	return g.shares.at[index]
}

// WithMember returns the group with one member more: what everybody writes
// down once a share was made for a new index by a recovery. Errors: ErrIndex,
// ErrDuplicate.
func (g *Group) WithMember(index int) (*Group, error) {
	members, err := sorted("members", append(g.Members(), index))
	if err != nil {
		return nil, err
	}
	more := *g
	more.members = members
	return &more, nil
}

// Bytes returns the group's encoding: header ‖ epoch (4 bytes) ‖ t ‖ n ‖ the
// members' indices ‖ t points of G2.
func (g *Group) Bytes() []byte {
	b := binary.BigEndian.AppendUint32(header(g.suite, typeGroup), g.epoch)
	b = append(b, byte(g.t), byte(len(g.members)))
	b = append(b, indexBytes(g.members)...)
	return appendPoints(b, g.suite, g.points)
}

func appendPoints(b []byte, s *protocol.Suite, points commitments) []byte {
	for _, p := range points {
		b = append(b, s.EncodeG2(p)...)
	}
	return b
}

// DecodeGroup reads a group. Errors: backends.ErrLength, ErrMessage,
// protocol.ErrSuiteMismatch, ErrEpoch for number 0, ErrThreshold, ErrIndex
// (also for indices out of order), ErrDuplicate, and those of Suite.DecodeG2.
// Whether this is the group that it is said to be, ID tells.
func DecodeGroup(s *protocol.Suite, b []byte) (*Group, error) {
	const what, fixed = "group", 4 + 1 + 1
	if len(b) < headerLength+fixed {
		return nil, fmt.Errorf("%s: %w: %d bytes", what, backends.ErrLength, len(b))
	}
	t, n := int(b[headerLength+4]), int(b[headerLength+5])
	_, g2, _ := s.ID().Sizes()
	r, err := open(s, typeGroup, what, b, fixed+n+t*g2)
	if err != nil {
		return nil, err
	}
	epoch := r.uint32()
	if epoch == 0 {
		return nil, fmt.Errorf("%s: %w: there is no epoch 0", what, ErrEpoch)
	}
	r.take(2)
	if err := checkThreshold(t, n); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	listed := make([]int, n)
	for k := range listed {
		listed[k] = r.byte()
	}
	members, err := sorted(what, listed)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(members, listed) {
		return nil, fmt.Errorf("%s: %w: indices out of order", what, ErrIndex)
	}
	points, err := r.points(s, t, g2)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return newGroup(s, t, epoch, members, points)
}

// points reads n points of the given length.
func (r *reader) points(s *protocol.Suite, n, length int) (commitments, error) {
	points := make(commitments, n)
	for k := range points {
		p, err := s.DecodeG2(r.take(length))
		if err != nil {
			return nil, fmt.Errorf("commitment %d: %w", k, err)
		}
		points[k] = p
	}
	return points, nil
}
