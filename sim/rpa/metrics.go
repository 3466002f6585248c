package rpa

import (
	"strconv"

	"mpinlab/sim/service"
)

// metrics are what the application counts beside its requests.
type metrics struct {
	logins                   map[int]*service.Counter // by verdict
	otherLogins              *service.Counter
	atOnce, byMail           *service.Counter
	logouts, permitsRefused  *service.Counter
	crossOrigin, proxyFailed *service.Counter
}

func newMetrics(r *service.Registry) metrics {
	m := metrics{logins: map[int]*service.Counter{}}
	const logins, loginsHelp = "mpin_rpa_logins_total", "Logins by the status told to the client."
	for _, status := range []int{200, 401, 403, 408, 410, 502, 503} {
		m.logins[status] = r.Counter(logins, loginsHelp, "status", strconv.Itoa(status))
	}
	m.otherLogins = r.Counter(logins, loginsHelp, "status", "other")
	const registrations, registrationsHelp = "mpin_rpa_registrations_total", "Registrations allowed, by how they are activated."
	m.atOnce = r.Counter(registrations, registrationsHelp, "activation", "at once")
	m.byMail = r.Counter(registrations, registrationsHelp, "activation", "mail")
	m.logouts = r.Counter("mpin_rpa_logouts_total", "Sessions ended by their user.")
	m.permitsRefused = r.Counter("mpin_rpa_permits_refused_total", "Permits refused to the revoked.")
	m.crossOrigin = r.Counter("mpin_rpa_cross_origin_refused_total", "Requests that another origin's page made a browser send.")
	m.proxyFailed = r.Counter("mpin_rpa_rps_unreachable_total", "Requests under /rps that the RPS did not answer.")
	return m
}

func (m *metrics) login(status int) {
	c, ok := m.logins[status]
	if !ok {
		c = m.otherLogins
	}
	c.Inc()
}

func (m *metrics) registered(byMail bool) {
	if byMail {
		m.byMail.Inc()
	} else {
		m.atOnce.Inc()
	}
}
