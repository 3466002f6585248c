package dta

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"mpinlab/protocol"
	"mpinlab/protocol/threshold"
	"mpinlab/sim/service"
)

// Peer is a D-TA of a ceremony: where it listens, and the key that it proves to
// have on every connection.
type Peer struct {
	Index   int
	Address string // host:port
	Key     ed25519.PublicKey
}

// Ceremony is one D-TA's part in making the master secret of a threshold
// deployment, which nobody ever holds (package threshold). The D-TAs talk to
// each other directly over TLS 1.3, each with a key that the others have pinned;
// there is no authority, and no server sees a message.
//
// Messages of a phase go to everybody. A D-TA goes on when it has those of all,
// or when Phase has passed. In the end all tell each other which group they have
// come to, and whoever does not hear the same from all has no share
// (ErrDisagree). Use a share only when every D-TA has one: the last messages of
// any protocol can get lost for some. If one has none, hold another ceremony.
type Ceremony struct {
	Suite     *protocol.Suite
	Threshold int
	// Session is a label that all agree on and use once.
	Session []byte
	// Index is this D-TA's, and Key what Peers have pinned.
	Index int
	Key   ed25519.PrivateKey
	// Peers are all D-TAs, this one too, of the indices 1 to their number.
	Peers []Peer
	// Listener is this D-TA's, at its address. Generate closes it.
	Listener net.Listener
	// Phase is how long a phase waits for others; 0 means 30 s.
	Phase time.Duration
	// Rand is where the polynomial is drawn from; nil is the system's source.
	Rand io.Reader
}

// ErrDisagree: not all D-TAs came to the same group, or did not say so.
var ErrDisagree = errors.New("the D-TAs do not agree on the outcome")

// The phases in their order.
const (
	phaseDeal = iota
	phaseComplain
	phaseJustify
	phaseAgree
	phases
)

// bundle is what a D-TA sends another in a phase. SubShare is for that one
// alone.
type bundle struct {
	Deal     []byte   `json:"deal,omitempty"`
	SubShare []byte   `json:"subShare,omitempty"`
	List     [][]byte `json:"list,omitempty"` // complaints or justifications
	Group    []byte   `json:"group,omitempty"`
}

// maxBundle is above what 255 complaints or the deal of 255 points of G2 take.
const maxBundle = 1 << 20

// Generate holds the ceremony and returns this D-TA's share. The faults name
// D-TAs whose contributions to the secret were left out; they have shares like
// the others. Errors: threshold.ErrThreshold and the
// others of a ceremony, ErrDisagree, ctx's.
func (c Ceremony) Generate(ctx context.Context) (*threshold.Share, []*threshold.Fault, error) {
	if c.Phase == 0 {
		c.Phase = 30 * time.Second
	}
	held, err := threshold.NewGeneration(c.Suite, c.Threshold, len(c.Peers), c.Session)
	if err != nil {
		return nil, nil, err
	}
	r, err := newRound(c)
	if err != nil {
		return nil, nil, err
	}
	defer r.close()
	return r.hold(ctx, held)
}

// round is the transport of a ceremony.
type round struct {
	c        Ceremony
	index    map[string]int // by key
	client   map[int]*http.Client
	server   *http.Server
	mu       sync.Mutex
	received [phases]map[int]*bundle
	news     chan struct{} // closed and made anew with each bundle
}

func newRound(c Ceremony) (*round, error) {
	r := &round{c: c, index: map[string]int{}, client: map[int]*http.Client{}, news: make(chan struct{})}
	for p := range r.received {
		r.received[p] = map[int]*bundle{}
	}
	cert, err := selfSigned(c.Key)
	if err != nil {
		return nil, err
	}
	for i, p := range c.Peers {
		if p.Index != i+1 || len(p.Key) != ed25519.PublicKeySize || r.index[string(p.Key)] != 0 {
			return nil, fmt.Errorf("%w: peers are 1 to %d, each with its own key", threshold.ErrIndex, len(c.Peers))
		}
		r.index[string(p.Key)] = p.Index
	}
	if public, ok := c.Key.Public().(ed25519.PublicKey); !ok || r.index[string(public)] != c.Index || c.Index == 0 {
		return nil, fmt.Errorf("%w: the key is not that of D-TA %d", threshold.ErrIndex, c.Index)
	}
	for _, p := range c.Peers {
		t := &http.Transport{DisableCompression: true, MaxResponseHeaderBytes: 4 << 10, TLSHandshakeTimeout: 5 * time.Second,
			TLSClientConfig: pinnedTLS(cert, func(key ed25519.PublicKey) bool { return key.Equal(p.Key) })}
		r.client[p.Index] = &http.Client{Transport: t, Timeout: 10 * time.Second}
	}
	config := pinnedTLS(cert, func(key ed25519.PublicKey) bool { return r.index[string(key)] != 0 })
	config.ClientAuth = tls.RequireAnyClientCert
	l := service.DefaultLimits
	r.server = &http.Server{Handler: http.HandlerFunc(r.receive), TLSConfig: config, ReadHeaderTimeout: l.ReadHeader,
		ReadTimeout: l.Read, WriteTimeout: l.Write, IdleTimeout: l.Idle, MaxHeaderBytes: 4 << 10,
		ErrorLog: log.New(io.Discard, "", 0)} // strangers' handshakes are nothing to note
	go func() { _ = r.server.ServeTLS(c.Listener, "", "") }() // ends with close
	return r, nil
}

func (r *round) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if r.server.Shutdown(ctx) != nil {
		r.server.Close()
	}
	for _, c := range r.client {
		c.CloseIdleConnections()
	}
}

// pinnedTLS is TLS 1.3 in which a certificate counts for its key only.
func pinnedTLS(own tls.Certificate, known func(ed25519.PublicKey) bool) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		Certificates:       []tls.Certificate{own},
		InsecureSkipVerify: true, // there is no authority; VerifyConnection does it
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) > 0 {
				if key, ok := s.PeerCertificates[0].PublicKey.(ed25519.PublicKey); ok && known(key) {
					return nil
				}
			}
			return errors.New("not the key of a D-TA of this ceremony")
		},
	}
}

func selfSigned(key ed25519.PrivateKey) (tls.Certificate, error) {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// receive takes a bundle. The first of a phase counts; who sends it is whose
// key the connection has.
func (r *round) receive(w http.ResponseWriter, req *http.Request) {
	key, ok := req.TLS.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	phase, err := strconv.Atoi(req.URL.Path[1:])
	if !ok || err != nil || phase < 0 || phase >= phases || req.Method != http.MethodPost {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	var b bundle
	if err := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxBundle)).Decode(&b); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.put(phase, r.index[string(key)], &b)
	w.WriteHeader(http.StatusOK)
}

func (r *round) put(phase, from int, b *bundle) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.received[phase][from] == nil {
		r.received[phase][from] = b
		close(r.news)
		r.news = make(chan struct{})
	}
}

// exchange sends each D-TA its bundle of a phase and returns what came from
// each, at the latest when the phase's time has passed.
func (r *round) exchange(ctx context.Context, phase int, to func(index int) (*bundle, error)) (map[int]*bundle, error) {
	limit, cancel := context.WithTimeout(ctx, r.c.Phase)
	defer cancel()
	var sending sync.WaitGroup
	for _, p := range r.c.Peers {
		b, err := to(p.Index)
		if err != nil {
			return nil, err
		}
		if p.Index == r.c.Index {
			r.put(phase, p.Index, b)
			continue
		}
		sending.Go(func() { r.send(limit, p, phase, b) })
	}
	for {
		r.mu.Lock()
		n, news := len(r.received[phase]), r.news
		r.mu.Unlock()
		if n == len(r.c.Peers) {
			break
		}
		select {
		case <-news:
			continue
		case <-limit.Done():
		}
		break
	}
	sending.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	got := make(map[int]*bundle, len(r.c.Peers))
	for i, b := range r.received[phase] {
		got[i] = b
	}
	return got, nil
}

// send tries until a D-TA has taken the bundle: it may not listen yet.
func (r *round) send(ctx context.Context, p Peer, phase int, b *bundle) {
	body, err := json.Marshal(b)
	if err != nil {
		return
	}
	defer clear(body)
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+p.Address+"/"+strconv.Itoa(phase), bytes.NewReader(body))
		if err != nil {
			return
		}
		if resp, err := r.client[p.Index].Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// hold goes through the phases. What does not decode is as if it had not come:
// its author is found at fault for what is missing.
func (r *round) hold(ctx context.Context, c *threshold.Ceremony) (*threshold.Share, []*threshold.Fault, error) {
	board := threshold.NewBoard(c)
	dealer, err := c.NewDealer(r.c.Index, nil, r.c.Rand)
	if err != nil {
		return nil, nil, err
	}
	receiver, err := threshold.NewReceiver(board, r.c.Index)
	if err != nil {
		return nil, nil, err
	}
	deal := dealer.Deal().Bytes()
	got, err := r.exchange(ctx, phaseDeal, func(index int) (*bundle, error) {
		s, err := dealer.SubShare(index)
		if err != nil {
			return nil, err
		}
		return &bundle{Deal: deal, SubShare: s.Bytes()}, nil
	})
	if err != nil {
		return nil, nil, err
	}
	for from, b := range got {
		// A deal that the board does not take, or a sub-share that is not right,
		// is remembered where it belongs: in Close's faults, in Complaints.
		if m, err := c.DecodeDeal(b.Deal); err == nil && m.From == from {
			_ = board.Deal(m)
		}
		if m, err := c.DecodeSubShare(b.SubShare); err == nil && m.From == from && m.To == r.c.Index {
			_ = receiver.SubShare(m)
		}
	}
	if err := board.EndDealing(); err != nil {
		return nil, nil, err
	}

	var list [][]byte
	for _, m := range receiver.Complaints() {
		list = append(list, m.Bytes())
	}
	same := func(list [][]byte) func(int) (*bundle, error) {
		return func(int) (*bundle, error) { return &bundle{List: list}, nil }
	}
	if got, err = r.exchange(ctx, phaseComplain, same(list)); err != nil {
		return nil, nil, err
	}
	for from, b := range got {
		for _, text := range b.List[:min(len(b.List), len(r.c.Peers))] {
			if m, err := c.DecodeComplaint(text); err == nil && m.From == from {
				_ = board.Complain(m)
			}
		}
	}
	if err := board.EndComplaints(); err != nil {
		return nil, nil, err
	}

	list = nil
	for _, m := range board.Complaints(r.c.Index) {
		// More accusers than may be answered are not: see Dealer.Justify.
		if j, err := dealer.Justify(m); err == nil {
			list = append(list, j.Bytes())
		}
	}
	if got, err = r.exchange(ctx, phaseJustify, same(list)); err != nil {
		return nil, nil, err
	}
	for from, b := range got {
		for _, text := range b.List[:min(len(b.List), len(r.c.Peers))] {
			if m, err := c.DecodeJustification(text); err == nil && m.From == from {
				_ = board.Justify(m)
			}
		}
	}
	faults, err := board.Close()
	if err != nil {
		return nil, faults, err
	}
	share, err := receiver.Finish(nil)
	if err != nil {
		return nil, faults, err
	}
	if err := r.agree(ctx, share.Group()); err != nil {
		return nil, faults, err
	}
	return share, faults, nil
}

// agree compares what the D-TAs came to: all of them must say that it is the
// same, or none can count on the others' shares.
func (r *round) agree(ctx context.Context, g *threshold.Group) error {
	id := g.ID()
	got, err := r.exchange(ctx, phaseAgree, func(int) (*bundle, error) { return &bundle{Group: id[:]}, nil })
	if err != nil {
		return err
	}
	for _, p := range r.c.Peers {
		if b := got[p.Index]; b == nil || !bytes.Equal(b.Group, id[:]) {
			return fmt.Errorf("%w: D-TA %d", ErrDisagree, p.Index)
		}
	}
	return nil
}
