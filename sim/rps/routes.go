package rps

import (
	"errors"
	"net/http"

	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

// route makes the two services.
func (s *Server) route() error {
	status := func(r *http.Request) (any, error) { return s.status(r) }
	var err error
	s.public, err = service.New(service.Options{
		Name: "rps", Logger: s.cfg.Logger, Now: s.cfg.Now, Rate: s.cfg.Rate, TrustedProxies: s.cfg.TrustedProxies,
		CORS: true, Status: status, Registry: s.cfg.Registry,
	})
	if err != nil {
		return err
	}
	s.private, err = service.New(service.Options{
		Name: "rps-private", Logger: s.cfg.Logger, Now: s.cfg.Now, Private: true, Profile: s.cfg.Profile,
		Status: status, Registry: s.cfg.Registry,
	})
	if err != nil {
		return err
	}
	s.socket.idle = socketIdle
	handle := func(method, path string, f service.Func) { s.public.Handle(method+" "+Prefix+path, f) }
	s.public.HandleRead(Prefix+"/clientSettings", s.getSettings)
	handle("PUT", "/user", s.putUser)
	handle("PUT", "/user/{mpinId}", s.putUser)
	handle("GET", "/signature/{mpinId}", s.getSignature)
	handle("POST", "/setupDone/{mpinId}", s.postSetupDone)
	handle("GET", "/timePermit/{mpinId}", s.getTimePermit)
	handle("POST", "/pass1", s.postPass1)
	handle("POST", "/pass2", s.postPass2)
	handle("GET", "/authenticationToken", s.serveSocket)
	handle("POST", "/authenticate", s.postPhone)
	s.public.HandleRead(Prefix+wire.StatusPath, s.getStatus)
	if !s.cfg.RequestOTP {
		handle("POST", "/getAccessNumber", s.postCode(false))
		handle("POST", "/accessnumber", s.postOlderAccess)
	}
	handle("POST", "/getQrUrl", s.postCode(true))
	handle("POST", "/access", s.postAccess)
	handle("POST", "/codeStatus", s.postCodeStatus)

	s.private.Handle("POST "+wire.PrivateUser+"{mpinId}", s.postActivate)
	s.private.Handle("POST "+wire.PrivateAuthenticate, s.postRedeem)
	s.private.Handle("POST "+wire.PrivateLoginResult, s.postLoginResult)
	return nil
}

// Status is the answer to status.
type Status struct {
	Status string `json:"status"` // "OK"
	Suite  string `json:"suite"`
}

func (s *Server) status(r *http.Request) (*Status, error) {
	if s.verifier.Load() == nil {
		return nil, errNotReady
	}
	if err := s.store.Ping(r.Context()); err != nil {
		return nil, err
	}
	return &Status{"OK", s.suite.ID().String()}, nil
}

func (s *Server) getStatus(w http.ResponseWriter, r *http.Request) error {
	v, err := s.status(r)
	if err != nil {
		return service.Refusal(http.StatusServiceUnavailable, "not ready", err)
	}
	return service.WriteJSON(w, http.StatusOK, v)
}

func (s *Server) getSettings(w http.ResponseWriter, r *http.Request) error {
	v, err := s.settings()
	return reply(w, v, err)
}

// reply answers with v or with the error.
func reply[T any](w http.ResponseWriter, v *T, err error) error {
	if err != nil {
		return err
	}
	return service.WriteJSON(w, http.StatusOK, v)
}

// done answers where there is nothing to say.
func done(w http.ResponseWriter, err error) error {
	return reply(w, &struct {
		Message string `json:"message"`
	}{"OK"}, err)
}

func (s *Server) putUser(w http.ResponseWriter, r *http.Request) error {
	var q registerRequest
	if err := service.ReadJSON(r, wire.MaxBody, &q); err != nil {
		return service.BadBody(http.StatusBadRequest, err)
	}
	a, err := s.register(r.Context(), r.PathValue("mpinId"), &q)
	return reply(w, a, err)
}

func (s *Server) getSignature(w http.ResponseWriter, r *http.Request) error {
	a, err := s.signature(r.Context(), r.PathValue("mpinId"), r.URL.Query().Get("regOTT"))
	return reply(w, a, err)
}

func (s *Server) postSetupDone(w http.ResponseWriter, r *http.Request) error {
	return done(w, s.setupDone(r.Context(), r.PathValue("mpinId")))
}

func (s *Server) getTimePermit(w http.ResponseWriter, r *http.Request) error {
	a, err := s.timePermit(r.Context(), r.PathValue("mpinId"))
	return reply(w, a, err)
}

func (s *Server) postPass1(w http.ResponseWriter, r *http.Request) error {
	var q pass1Request
	if err := service.ReadJSON(r, wire.MaxBody, &q); err != nil {
		return service.BadBody(http.StatusForbidden, err)
	}
	a, err := s.pass1(r.Context(), &q)
	return reply(w, a, err)
}

func (s *Server) postPass2(w http.ResponseWriter, r *http.Request) error {
	var q pass2Request
	if err := service.ReadJSON(r, wire.MaxBody, &q); err != nil {
		return service.BadBody(http.StatusForbidden, err)
	}
	a, err := s.pass2(r.Context(), &q)
	return reply(w, a, err)
}

func (s *Server) postPhone(w http.ResponseWriter, r *http.Request) error {
	var q wire.AuthenticateRequest
	if err := service.ReadJSON(r, wire.MaxBody, &q); err != nil {
		return service.BadBody(http.StatusBadRequest, err)
	}
	a, err := s.phoneLogin(r.Context(), &q)
	return reply(w, a, err)
}

func (s *Server) postCode(qr bool) service.Func {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, err := s.newCode(r.Context(), qr)
		return reply(w, a, err)
	}
}

func (s *Server) postAccess(w http.ResponseWriter, r *http.Request) error {
	var q wire.AccessRequest
	if err := service.ReadJSON(r, wire.MaxBody, &q); err != nil {
		return service.BadBody(http.StatusBadRequest, err)
	}
	a, err := s.access(r.Context(), &q)
	return reply(w, a, err)
}

func (s *Server) postOlderAccess(w http.ResponseWriter, r *http.Request) error {
	var q wire.AccessRequest
	if err := service.ReadJSON(r, wire.MaxBody, &q); err != nil {
		return service.BadBody(http.StatusBadRequest, err)
	}
	a, err := s.olderAccess(r.Context(), &q)
	return reply(w, a, err)
}

func (s *Server) postCodeStatus(w http.ResponseWriter, r *http.Request) error {
	var q wire.CodeStatusRequest
	if err := service.ReadJSON(r, wire.MaxBody, &q); err != nil {
		return service.BadBody(http.StatusBadRequest, err)
	}
	return done(w, s.codeStatus(r.Context(), &q))
}

func (s *Server) postActivate(w http.ResponseWriter, r *http.Request) error {
	var q wire.ActivateRequest
	if err := service.ReadJSON(r, wire.MaxBody, &q); err != nil {
		return service.BadBody(http.StatusBadRequest, err)
	}
	return done(w, s.activateByKey(r.Context(), r.PathValue("mpinId"), q.ActivateKey))
}

// postRedeem answers with the status in the body too, whatever it is.
func (s *Server) postRedeem(w http.ResponseWriter, r *http.Request) error {
	var q wire.RedeemRequest
	if err := service.ReadJSON(r, wire.MaxBody, &q); err != nil {
		return badRedeem(w, service.BadBody(http.StatusBadRequest, err))
	}
	if err := checkLogout(q.LogoutURL, q.LogoutData); err != nil {
		return badRedeem(w, err)
	}
	a, err := s.redeemForApplication(r.Context(), &q)
	if err != nil {
		return badRedeem(w, err)
	}
	if a.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "MPin")
	}
	return service.WriteJSON(w, a.Status, a)
}

// badRedeem answers a request that is none, in the form of a verdict.
func badRedeem(w http.ResponseWriter, err error) error {
	var e *service.Error
	if !errors.As(err, &e) || e.Status >= 500 {
		return err
	}
	return service.WriteJSON(w, e.Status, wire.RedeemAnswer{Status: e.Status, Message: e.Message})
}

func (s *Server) postLoginResult(w http.ResponseWriter, r *http.Request) error {
	var q wire.LoginResultRequest
	if err := service.ReadJSON(r, wire.MaxBody, &q); err != nil {
		return service.BadBody(http.StatusBadRequest, err)
	}
	if err := checkLogout(q.LogoutURL, q.LogoutData); err != nil {
		return err
	}
	return done(w, s.loginResult(r.Context(), &q))
}
