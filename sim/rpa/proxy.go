package rpa

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"

	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

// newProxy shows the RPS's public side under /rps, WebSockets too. The RPS is
// told the client's address in X-Forwarded-For; what the client itself says
// there is dropped. Cookies stay here.
func (s *Server) newProxy() (http.Handler, error) {
	target, err := url.Parse(s.c.RPS)
	if err != nil {
		return nil, err
	}
	transport := s.c.Transport
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.Proxy = nil
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 512, 256
		t.MaxResponseHeaderBytes = 16 << 10
		transport = t
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host
			r.SetXForwarded()
			r.Out.Header.Del("Cookie")
			r.Out.Header.Del("Authorization")
		},
		ModifyResponse: func(answer *http.Response) error {
			answer.Header.Del("Set-Cookie")
			return nil
		},
		Transport: transport,
		ErrorLog:  slog.NewLogLogger(s.c.Logger.Handler(), slog.LevelDebug),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			status, message := http.StatusBadGateway, "the RPS does not answer"
			if max := (*http.MaxBytesError)(nil); errors.As(err, &max) {
				status, message = http.StatusRequestEntityTooLarge, "body too large"
			}
			s.metrics.proxyFailed.Inc()
			_ = service.WriteJSON(w, status, refusal(message))
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > wire.MaxBody {
			_ = service.WriteJSON(w, http.StatusRequestEntityTooLarge, refusal("body too large"))
			return
		}
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = http.MaxBytesReader(w, r.Body, wire.MaxBody)
		}
		proxy.ServeHTTP(w, r)
	}), nil
}

func refusal(message string) wire.Refusal { return wire.Refusal{Message: message} }
