package deploy

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
)

// newTransport is for one server's requests to others: a pool that is large
// enough for load, no proxy from the environment, bounded headers. roots may be
// nil.
func newTransport(roots *x509.CertPool) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	// One for every login under way: making connections costs more than keeping
	// them.
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 4096, 1024
	t.MaxResponseHeaderBytes = 16 << 10
	if roots != nil {
		t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return t
}

// roots are the system's and the deployment's own certificate, with which its
// servers reach each other's public sides; nil without TLS.
func (c *Config) roots() (*x509.CertPool, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.TLSCert)
	if err != nil {
		return nil, fmt.Errorf("%w: tls-cert: %w", ErrConfig, err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%w: tls-cert: %s has no certificate in it", ErrConfig, c.TLSCert)
	}
	return pool, nil
}

// tlsConfig is for the public listeners; nil without TLS.
func (c *Config) tlsConfig() (*tls.Config, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("%w: tls-cert and tls-key: %w", ErrConfig, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}
