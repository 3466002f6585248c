package rpa

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"

	"mpinlab/sim/service"
)

//go:embed pages
var files embed.FS

var (
	templates = template.Must(template.ParseFS(files, "pages/*.html"))
	styles    = func() []byte {
		b, err := files.ReadFile("pages/style.css")
		if err != nil {
			panic(err) // it is embedded
		}
		return b
	}()
)

// stylePath is where the plain pages have their style sheet.
const stylePath = "/rpa.css"

// page answers with one of the plain pages.
func (s *Server) page(w http.ResponseWriter, status int, name string, data any) error {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	return err
}

func (s *Server) style(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, err := w.Write(styles)
	return err
}

// front shows who is logged in, or how to.
func (s *Server) front(w http.ResponseWriter, r *http.Request) error {
	in, err := s.current(r)
	if e := (*service.Error)(nil); errors.As(err, &e) && e.Status == http.StatusUnauthorized {
		return s.page(w, http.StatusOK, "welcome.html", s.c.URL)
	}
	if err != nil {
		return err
	}
	a, _, err := s.account(r.Context(), in.UserID)
	if err != nil {
		return err
	}
	if err := s.shown(r.Context(), &a, in.Device); err != nil {
		return err
	}
	return s.page(w, http.StatusOK, "session.html", a)
}
