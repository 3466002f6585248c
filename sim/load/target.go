package load

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"mpinlab/backends/all"
	"mpinlab/protocol"
	"mpinlab/sim/deploy"
	"mpinlab/sim/fault"
)

// target is the deployment under load: one of the run's own, or one elsewhere.
type target struct {
	rpa        string // where clients begin
	rpsPrivate string
	rps        string
	data       string // the folder with the D-TAs' shares, "" elsewhere
	config     deploy.Config

	deployment *deploy.Deployment
	whole      *deploy.Whole
	folder     string                    // temporary, to be removed
	relays     map[string][]*fault.Relay // by connection
	lines      map[string][]*fault.Line  // those of them that lead packets
	disk       *fault.Disk               // on which the stores are, to be made full; may be nil
	gate       *fault.Gate               // before the stores; may be nil
	// via maps the addresses that clients are told to those that they dial.
	via    map[string]string
	roots  *x509.CertPool
	clocks map[deploy.Role]*fault.Clock
	liars  map[string]*fault.Liar
}

// startTarget starts what the scenario says. When it fails nothing is left.
func startTarget(ctx context.Context, s *Scenario, o Options) (_ *target, err error) {
	t := &target{relays: map[string][]*fault.Relay{}, lines: map[string][]*fault.Line{}, via: map[string]string{}, liars: map[string]*fault.Liar{}}
	d := &s.Deployment
	if d.External != "" {
		t.rpa = d.External
		return t, nil
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	if t.folder, err = os.MkdirTemp(o.Temp, "mpin-load-"); err != nil {
		return nil, err
	}
	t.data = filepath.Join(t.folder, "data")
	if err := t.prepareStore(s); err != nil {
		return nil, err
	}
	cpus, err := serverCPUs(d.Cores)
	if err != nil {
		return nil, err
	}
	command := o.Command
	if command == nil {
		command = serveCommand
	}
	c := deploy.Config{
		Suite: d.Suite, Backend: d.Backend, Listen: "127.0.0.1:0", Data: t.data, Store: d.Store, DTAs: d.DTAs, Threshold: d.Threshold,
		RPS: d.RPS, Batching: d.Batching, Lockout: d.Lockout, MaxAttempts: d.MaxAttempts, Remember: d.Remember.D(), PINDigits: s.Population.PINDigits, Rate: -1, LogLevel: "error", Log: o.Log,
		Processes: d.Run == runProcesses, CPUs: cpus, Command: command,
	}
	if d.TLS {
		if err := t.certify(&c); err != nil {
			return nil, err
		}
	}
	if d.Run == runInProcess {
		if err := t.hook(s, &c); err != nil {
			return nil, err
		}
	}
	if t.gate != nil {
		c.Gate = filepath.Join(t.folder, gateFile)
	}
	if t.disk != nil {
		c.State = t.disk.Folder()
	}
	t.config = c
	var ready deploy.Ready
	if d.Run == runProcess {
		if t.whole, err = deploy.StartWhole(ctx, c); err != nil {
			return nil, err
		}
		ready = t.whole.Addresses()
	} else {
		if t.deployment, err = deploy.Start(ctx, c); err != nil {
			return nil, err
		}
		ready = t.deployment.Ready()
	}
	t.rpa, t.rps, t.rpsPrivate = ready.RPA, ready.RPS, ready.RPSPrivate
	if err := t.link(ctx, s, ready); err != nil {
		return nil, err
	}
	return t, nil
}

// serveCommand makes a process of this program.
func serveCommand(file string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return exec.Command(self, "serve", "--config", file)
}

// certify makes a certificate for the servers of this run.
func (t *target) certify(c *deploy.Config) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mpin load"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(48 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	c.TLSCert, c.TLSKey = filepath.Join(t.folder, "cert.pem"), filepath.Join(t.folder, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	t.roots = x509.NewCertPool()
	t.roots.AppendCertsFromPEM(certPEM)
	return errors.Join(os.WriteFile(c.TLSCert, certPEM, 0o600),
		os.WriteFile(c.TLSKey, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
}

// hook puts clocks and liars into a deployment in this process.
func (t *target) hook(s *Scenario, c *deploy.Config) error {
	suite, err := suiteOf(s.Deployment.Suite, s.Deployment.Backend)
	if err != nil {
		return err
	}
	t.clocks = map[deploy.Role]*fault.Clock{}
	c.Clock = map[deploy.Role]func() time.Time{}
	begin := time.Duration(0)
	if s.Deployment.Clock != "" {
		now := time.Now().UTC()
		of, err := time.Parse("15:04:05", s.Deployment.Clock)
		if err != nil {
			return err
		}
		begin = time.Date(now.Year(), now.Month(), now.Day(), of.Hour(), of.Minute(), of.Second(), 0, time.UTC).Sub(now)
	}
	for _, r := range []deploy.Role{deploy.RoleDTA, deploy.RoleProxy, deploy.RoleAPI, deploy.RoleRPS, deploy.RoleRPA} {
		t.clocks[r] = &fault.Clock{}
		t.clocks[r].Skew(begin)
		c.Clock[r] = t.clocks[r].Now
	}
	point := hex.EncodeToString(suite.EncodeG1(suite.Backend().G1()))
	lying := map[string]bool{}
	for _, f := range s.Faults {
		if f.Kind == FaultLyingDTA {
			lying[f.Node] = true
		}
	}
	c.Wrap = func(node string, h http.Handler) http.Handler {
		if !lying[node] {
			return h
		}
		t.liars[node] = fault.NewLiar(h, point)
		return t.liars[node]
	}
	return nil
}

// startClock sets the clocks once more when the load begins, so that the time of
// day of the scenario is that of its start.
func (t *target) startClock(s *Scenario) {
	if s.Deployment.Clock == "" {
		return
	}
	of, err := time.Parse("15:04:05", s.Deployment.Clock)
	if err != nil {
		return // checked
	}
	now := time.Now().UTC()
	skew := time.Date(now.Year(), now.Month(), now.Day(), of.Hour(), of.Minute(), of.Second(), 0, time.UTC).Sub(now)
	for _, c := range t.clocks {
		c.Skew(skew)
	}
}

// suiteOf makes a suite on a backend, or on the first that serves it.
func suiteOf(name, backend string) (*protocol.Suite, error) {
	id, err := protocol.ParseSuiteID(name)
	if err != nil {
		return nil, err
	}
	if backend != "" {
		b, err := all.Get(backend)
		if err != nil {
			return nil, err
		}
		return protocol.New(id, b)
	}
	for _, b := range all.Backends() {
		if b.Info().Curve == id.Curve {
			return protocol.New(id, b)
		}
	}
	return nil, fmt.Errorf("no backend for %s is built in", id)
}

// transport is the clients' pool of connections.
func (t *target) transport(connections int) *http.Transport {
	out := http.DefaultTransport.(*http.Transport).Clone()
	out.Proxy = nil
	out.MaxIdleConns, out.MaxIdleConnsPerHost = 0, connections
	out.DialContext = t.dial
	if t.roots != nil {
		out.TLSClientConfig = &tls.Config{RootCAs: t.roots, MinVersion: tls.VersionTLS12}
	}
	return out
}

func (t *target) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if via, ok := t.via[address]; ok {
		address = via
	}
	d := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return d.DialContext(ctx, network, address)
}

// node is one process of the target.
type nodeInfo struct {
	name    string
	pid     int
	metrics string // the URL of its metrics, "" for none
	node    deploy.Node
}

// nodes lists what there is to be watched and broken. Nodes in this process have
// its number.
func (t *target) nodes() []nodeInfo {
	if t.whole != nil {
		return []nodeInfo{{"all", t.whole.PID(), t.rpsPrivate + "/metrics", t.whole}}
	}
	if t.deployment == nil {
		return nil
	}
	var list []nodeInfo
	for _, n := range t.deployment.Nodes() {
		if n.Role() == deploy.RoleBalancer {
			continue // it is the generator's process
		}
		i := nodeInfo{name: n.Name(), pid: n.PID(), node: n}
		if base := n.PrivateURL(); base != "" {
			i.metrics = base + "/metrics"
		} else if n.Role() != deploy.RoleRedis {
			i.metrics = n.URL() + "/metrics"
		}
		list = append(list, i)
	}
	return list
}

// close ends everything and leaves nothing behind.
func (t *target) close() error {
	var errs []error
	if t.deployment != nil {
		errs = append(errs, t.deployment.Close())
	}
	if t.whole != nil {
		errs = append(errs, t.whole.Close())
	}
	errs = append(errs, t.mendAll())
	if t.folder != "" {
		errs = append(errs, os.RemoveAll(t.folder))
	}
	return errors.Join(errs...)
}
