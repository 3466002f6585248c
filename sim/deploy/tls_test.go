package deploy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mpinlab/sim/client"
)

// certificate makes a self-signed certificate for this machine.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	cert, key = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for path, b := range map[string][]byte{cert: certPEM, key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return cert, key, pool
}

// With a certificate everything that clients reach is https, the servers among
// themselves included, and cookies are for https only. A name is put into URLs
// where one is given.
func TestTLS(t *testing.T) {
	cert, key, pool := certificate(t)
	for _, c := range []Config{{}, {Host: "localhost"}, {Processes: true, Store: "redis", RPS: 2}} {
		if c.Store == "redis" {
			needRedis(t)
		}
		c.TLSCert, c.TLSKey = cert, key
		d := start(t, c)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
		defer transport.CloseIdleConnections()
		cl := openClient(t, d.Ready().RPA, client.Options{Suites: suites(), Transport: transport})
		loginSuite(t, cl)
		id := mustEnrol(t, cl)
		s, err := cl.Login(t.Context(), id, pinOf(t, "1234"), client.LoginOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Cookies) != 1 || !s.Cookies[0].Secure {
			t.Errorf("cookies %v", s.Cookies)
		}
		settings := cl.Settings()
		host := "https://127.0.0.1:"
		if c.Host != "" {
			host = "https://localhost:"
		}
		for _, url := range []string{settings.CertivoxURL, settings.RegisterURL, settings.AuthenticateURL, settings.TimePermitsStorageURL, s.LogoutURL} {
			if !strings.HasPrefix(url, host) {
				t.Errorf("%s, not %s…", url, host)
			}
		}
		for _, url := range []string{d.Ready().RPA, d.Ready().RPS, strings.TrimSuffix(d.Ready().Certivox, "/")} {
			if status, _ := get(t, strings.Replace(url, "https:", "http:", 1)); status != 400 {
				t.Errorf("%s in clear: %d", url, status)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, w := range []struct {
		c    Config
		want []string
	}{
		{Config{Data: "d"}, []string{"unencrypted in d/set-up"}},
		{Config{Data: "d", Seal: "age"}, nil},
		{Config{Data: "d", Seal: "age", Listen: "0.0.0.0:80"}, []string{"other machines", "not encrypted"}},
		{Config{Data: "d", Seal: "age", Listen: "192.0.2.1:80", TLSCert: "x"}, []string{"other machines"}},
	} {
		got := w.c.Warnings()
		if len(got) != len(w.want) {
			t.Errorf("%+v: %q", w.c, got)
			continue
		}
		for i := range got {
			if !strings.Contains(got[i], w.want[i]) {
				t.Errorf("%q does not say %q", got[i], w.want[i])
			}
		}
	}
}
