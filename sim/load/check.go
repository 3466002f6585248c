package load

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"mpinlab/protocol"
)

// complete fills in what is left out.
func (s *Scenario) complete() {
	d, p, c := &s.Deployment, &s.Population, &s.Client
	for _, x := range []struct {
		at   *string
		text string
	}{
		{&s.Title, s.Name}, {&d.Suite, "rfc9380/bls12-381"}, {&d.Store, "memory"}, {&d.Run, "process"}, {&p.Enrol, "issued"},
		{&c.Cost, "real"}, {&c.Transport, "http"}, {&c.Redeem, "rpa"},
	} {
		if *x.at == "" {
			*x.at = x.text
		}
	}
	if d.External != "" {
		p.Enrol = "registered"
	}
	for _, x := range []struct {
		at *int
		n  int
	}{
		{&d.DTAs, 2}, {&d.RPS, 1}, {&d.MaxAttempts, 3}, {&p.Users, 1000}, {&p.Devices, 1}, {&p.PINDigits, 4}, {&c.InFlight, 512},
	} {
		if *x.at == 0 {
			*x.at = x.n
		}
	}
	if c.Timeout == 0 {
		c.Timeout = Duration(10 * time.Second)
	}
	if c.Late == 0 {
		c.Late = Duration(10 * time.Millisecond)
	}
	if s.Mix == (Mix{}) {
		s.Mix.Login = 100
	}
	for i := range s.Stages {
		if s.Stages[i].Name == "" {
			s.Stages[i].Name = s.Stages[i].Kind
		}
	}
	if q := s.Saturation; q != nil {
		if q.Precision == 0 {
			q.Precision = 0.05
		}
		if len(q.Compare) == 0 {
			q.Compare = []string{"single"}
		}
	}
	for i := range s.SLOs {
		if s.SLOs[i].Phase == "" {
			s.SLOs[i].Phase = "whole"
		}
	}
}

// Bounds on what a scenario may ask for.
const (
	maxRate   = 1e6
	maxLength = 24 * time.Hour
	maxUsers  = 100_000_000
)

var clockOfDay = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$`)

// check refuses what cannot be.
func (s *Scenario) check() error {
	if s.Name == "" {
		return s.problem("name", "a scenario has a name")
	}
	for _, f := range []func() error{s.checkDeployment, s.checkClients, s.checkStages, s.checkFaults, s.checkSLOs} {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scenario) oneOf(path, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return s.problem(path, "%q is none of %s", value, strings.Join(allowed, ", "))
}

func (s *Scenario) within(path string, value, lo, hi float64) error {
	if value >= lo && value <= hi { // false for NaN
		return nil
	}
	return s.problem(path, "%v is not %v to %v", value, lo, hi)
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Deployments of the scenarios may be run in these ways.
const (
	runInProcess = "in-process"
	runProcess   = "process"
	runProcesses = "processes"
)

func (s *Scenario) checkDeployment() error {
	d := &s.Deployment
	if d.External != "" {
		if !strings.HasPrefix(d.External, "http://") && !strings.HasPrefix(d.External, "https://") {
			return s.problem("deployment.external", "%q is no http or https address", d.External)
		}
		if len(s.Faults) > 0 || len(d.Links) > 0 || s.Saturation != nil {
			return s.problem("deployment.external", "faults, links and saturation need a deployment that the run starts")
		}
		if s.Client.Redeem == "rps" || s.Client.Cost == "precomputed" || s.Population.Enrol == "issued" {
			return s.problem("deployment.external", "redeem rps, cost precomputed and enrol issued need a deployment that the run starts")
		}
		return nil
	}
	var names []string
	for _, id := range protocol.SuiteIDs() {
		if id.TimePermits() {
			names = append(names, id.String())
		}
	}
	if err := first(
		s.oneOf("deployment.suite", d.Suite, names...),
		s.oneOf("deployment.store", d.Store, "memory", "bbolt", "redis"),
		s.oneOf("deployment.run", d.Run, runInProcess, runProcess, runProcesses),
		s.oneOf("deployment.lockout", d.Lockout, "", "token", "any"),
		s.within("deployment.dtas", float64(d.DTAs), 2, 16),
		s.within("deployment.rps", float64(d.RPS), 1, 64),
		s.within("deployment.max-attempts", float64(d.MaxAttempts), 1, 100),
		s.within("deployment.cores", float64(d.Cores), 0, 1024),
	); err != nil {
		return err
	}
	switch {
	case d.Threshold != 0 && (d.Threshold < 2 || d.Threshold > d.DTAs):
		return s.problem("deployment.threshold", "%d is neither 0 (all D-TAs) nor 2 to %d", d.Threshold, d.DTAs)
	case d.RPS > 1 && d.Store != "redis":
		return s.problem("deployment.rps", "several RPS need store redis")
	case d.Store == "redis" && d.Run == runProcess:
		return s.problem("deployment.store", "redis is a process of its own: run processes or in-process")
	case d.Remember != 0 && d.Remember.D() < time.Minute || d.Remember.D() > 30*24*time.Hour:
		return s.problem("deployment.remember", "%v is not a minute to 30 days", d.Remember.D())
	case d.Clock != "" && d.Run != runInProcess:
		return s.problem("deployment.clock", "clocks can be set with run in-process only")
	case d.Clock != "" && !clockOfDay.MatchString(d.Clock):
		return s.problem("deployment.clock", "%q is no time of day like 23:59:50", d.Clock)
	case d.Cores > 0 && d.Run == runInProcess:
		return s.problem("deployment.cores", "servers in the generator's process have its CPUs: run process or processes")
	}
	for i, l := range d.Links {
		path := fmt.Sprintf("deployment.links.%d", i)
		if err := s.checkLink(path, l.Between); err != nil {
			return err
		}
		if l.Delay <= 0 && l.Bandwidth <= 0 {
			return s.problem(path, "a link has a delay or a bandwidth")
		}
	}
	return nil
}

// links are the connections that faults and links may name; D-TAs by number.
var linkNames = regexp.MustCompile(`^(clients-(rpa|rps|proxy|api)|rps-(proxy|rpa)|rpa-rps|proxy-api|(rps|proxy)-dta-([0-9]+))$`)

func (s *Scenario) checkLink(path, between string) error {
	m := linkNames.FindStringSubmatch(between)
	if m == nil {
		return s.problem(path+".between", "%q is none of clients-rpa, clients-rps, clients-proxy, clients-api, rps-proxy, rps-rpa, rps-dta-N, rpa-rps, proxy-api, proxy-dta-N", between)
	}
	if n, err := strconv.Atoi(m[5]); m[5] != "" && (err != nil || n < 1 || n > s.Deployment.DTAs) {
		return s.problem(path+".between", "there is no dta-%s among %d", m[5], s.Deployment.DTAs)
	}
	if s.Deployment.Run == runProcess && (!strings.HasPrefix(between, "clients-") || between == "clients-api") {
		return s.problem(path+".between", "%s is within the one process: run processes or in-process", between)
	}
	return nil
}

func (s *Scenario) checkClients() error {
	p, c, m, b := &s.Population, &s.Client, &s.Mix, &s.Behaviour
	if err := first(
		s.within("population.users", float64(p.Users), 1, maxUsers),
		s.within("population.devices", float64(p.Devices), 1, 32),
		s.within("population.pin-digits", float64(p.PINDigits), 4, 6),
		s.within("population.prepare", float64(p.Prepare), 0, float64(p.Users)*float64(p.Devices)),
		s.oneOf("population.enrol", p.Enrol, "issued", "registered"),
		s.oneOf("client.cost", c.Cost, "real", "precomputed"),
		s.oneOf("client.transport", c.Transport, "http", "websocket"),
		s.oneOf("client.redeem", c.Redeem, "rpa", "rps"),
		s.within("client.in-flight", float64(c.InFlight), 1, 100_000),
		s.within("client.prepared", float64(c.Prepared), 0, maxPrepared),
		s.within("client.timeout", c.Timeout.Seconds(), 0.001, 600),
		s.within("client.late", c.Late.Seconds(), 0, 600),
	); err != nil {
		return err
	}
	for _, w := range []struct {
		path string
		v    float64
	}{{"login", m.Login}, {"access-number", m.AccessNumber}, {"register", m.Register}, {"permit", m.Permit}, {"sign", m.Sign}} {
		if !(w.v >= 0 && w.v <= 1e9) {
			return s.problem("mix."+w.path, "%v is no weight: a number from 0 on is", w.v)
		}
	}
	switch {
	case *m == (Mix{}):
		return s.problem("mix", "all weights are 0; there are %s", "login, access-number, register, permit, sign")
	case float64(b.WrongPINs+b.Abandoned+b.Replays) > 1:
		return s.problem("behaviour", "the shares add up to more than 100%%")
	case c.Cost == "precomputed" && (m.AccessNumber > 0 || m.Register > 0 || m.Permit > 0 || m.Sign > 0):
		return s.problem("mix", "cost precomputed is for logins only")
	case c.Cost == "precomputed" && c.Transport != "http":
		return s.problem("client.transport", "cost precomputed speaks http only")
	case c.Cost == "precomputed" && p.Enrol != "issued":
		return s.problem("population.enrol", "cost precomputed needs enrol issued")
	case c.Cost == "precomputed" && s.Deployment.Clock != "":
		return s.problem("deployment.clock", "proofs that are made ahead are for today: cost real")
	case p.Enrol == "registered" && p.Users*p.Devices > maxRegistered:
		return s.problem("population.users", "%d identities registered over the wire are over %d: enrol issued", p.Users*p.Devices, maxRegistered)
	}
	return nil
}

func (s *Scenario) checkStages() error {
	if q := s.Saturation; q != nil {
		if len(s.Stages) > 0 {
			return s.problem("stages", "a search for saturation has none")
		}
		if err := first(
			s.within("saturation.from", q.From, 0.1, maxRate),
			s.within("saturation.to", q.To, q.From, maxRate),
			s.within("saturation.probe", q.Probe.Seconds(), 0.05, 3600),
			s.within("saturation.limit", q.Limit.Seconds(), 0.0001, 600),
			s.within("saturation.precision", float64(q.Precision), 0.005, 1),
		); err != nil {
			return err
		}
		for i, c := range q.Compare {
			if _, err := parseArm(c); err != nil {
				return s.problem(fmt.Sprintf("saturation.compare.%d", i), "%v", err)
			}
		}
		return nil
	}
	if len(s.Stages) == 0 {
		return s.problem("stages", "a scenario has at least one, or saturation")
	}
	if s.WarmUp < 0 || s.WarmUp >= s.Length() {
		return s.problem("warm-up", "%v is not shorter than the stages, which take %v", s.WarmUp.D(), s.Length().D())
	}
	if s.Length().D() > maxLength {
		return s.problem("stages", "they take %v, over %v", s.Length().D(), maxLength)
	}
	for i := range s.Stages {
		st, path := &s.Stages[i], fmt.Sprintf("stages.%d.", i)
		if err := first(
			s.oneOf(path+"kind", st.Kind, Constant, Poisson, Ramp, Diurnal, Spike),
			s.oneOf(path+"spacing", st.Spacing, "", "even", "poisson"),
			s.within(path+"duration", st.Duration.Seconds(), 0.001, maxLength.Seconds()),
			s.within(path+"rate", st.Rate, 0, maxRate), s.within(path+"to", st.To, 0, maxRate), s.within(path+"peak", st.Peak, 0, maxRate),
		); err != nil {
			return err
		}
		switch {
		case st.Kind != Ramp && st.To != 0:
			return s.problem(path+"to", "only a ramp has it")
		case st.Kind != Spike && (st.Peak != 0 || st.At != 0 || st.Width != 0):
			return s.problem(path+"peak", "only a spike has peak, at and width")
		case st.Kind == Spike && (st.Width <= 0 || st.At-st.Width/2 < 0 || st.At+st.Width/2 > st.Duration):
			return s.problem(path+"width", "the spike, %v wide at %v, is not within the stage of %v", st.Width.D(), st.At.D(), st.Duration.D())
		case st.Kind != Diurnal && st.Curve != nil:
			return s.problem(path+"curve", "only a diurnal stage has it")
		case st.Kind == Diurnal && st.Curve != nil && len(st.Curve) < 2:
			return s.problem(path+"curve", "at least two points")
		case st.Expected() == 0 || math.IsNaN(st.Expected()):
			return s.problem(path+"rate", "nobody would arrive")
		}
		for k, v := range st.Curve {
			if !(v >= 0 && v <= 1e9) {
				return s.problem(fmt.Sprintf("%scurve.%d", path, k), "%v is no relative rate", v)
			}
		}
	}
	return nil
}

// nodes are the names of the deployment's servers.
func (s *Scenario) nodes() []string {
	d := &s.Deployment
	if d.Run == runProcess {
		return []string{"all"}
	}
	names := []string{"rpa", "proxy", "api"}
	for i := range d.DTAs {
		names = append(names, fmt.Sprintf("dta-%d", i+1))
	}
	for i := range d.RPS {
		names = append(names, fmt.Sprintf("rps-%d", i+1))
	}
	if d.Store == "redis" {
		names = append(names, "redis")
	}
	return names
}

func (s *Scenario) checkSLOs() error {
	for i := range s.SLOs {
		o, path := &s.SLOs[i], fmt.Sprintf("slos.%d", i)
		if err := first(
			s.oneOf(path+".metric", o.Metric, "p50", "p90", "p95", "p99", "p999", "max", "errors", "dropped", "late", "rate", "speed-up"),
			s.oneOf(path+".phase", o.Phase, "whole", "permit", "pass1", "pass2", "redeem", "register", "sign"),
		); err != nil {
			return err
		}
		latency := strings.HasPrefix(o.Metric, "p") || o.Metric == "max"
		for _, v := range []*Value{o.Max, o.Min} {
			if v != nil && latency && v.Unit != "ms" {
				return s.problem(path, "%s is a time: its bound is one like 100ms", o.Metric)
			}
		}
		switch {
		case (o.Max == nil) == (o.Min == nil):
			return s.problem(path, "one of max and min")
		case o.Metric == "speed-up" && (s.Saturation == nil || len(s.Saturation.Compare) < 2):
			return s.problem(path+".metric", "speed-up is for a saturation that compares")
		case s.Saturation != nil && o.Metric != "speed-up":
			return s.problem(path+".metric", "a saturation has the metric speed-up only; the limit is its own")
		}
	}
	return nil
}
