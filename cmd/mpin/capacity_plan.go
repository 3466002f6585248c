package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mpinlab/plots"
	"mpinlab/sim/capacity"
)

func newCapacityPlan() *cobra.Command {
	users, perDay := quantity(0), 2.0
	var bad share
	period := days(24 * time.Hour)
	published, headroom := share(0), share(0.25)
	var places regions
	var r capacity.Request
	var file string
	var figure figureFile
	var asJSON, noSensitivity bool
	c := &cobra.Command{
		Use:   "plan --users N",
		Short: "Size a service: cores, instances, D-TAs, bandwidth, cost",
		Long: `plan finds the least number of RPS instances whose 99th percentile keeps the
promise at the busiest moment of the day, and says what else that takes and how it
changes with the backend, batching, wrong PINs and the period of time permits.

The price is yours to give; without one cores are told only.`,
		Example: `  mpin capacity plan --users 100M --logins-per-day 2 --peak-factor 4 --p99 100ms
  mpin capacity plan --users 2M --bad 3% --batching --price-per-core-hour 0.04
  mpin capacity plan --users 1G --regions Europe=3@+1,America=2@-6,Asia=5@+8 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if users == 0 {
				return misuse(&flagError{"users", errors.New("how many are there?")})
			}
			r.Users, r.LoginsPerDay, r.Bad, r.PermitPeriod, r.Published, r.Headroom, r.Regions = float64(users), perDay, float64(bad), time.Duration(period), float64(published), float64(headroom), places
			var err error
			if r.Calibration, err = costs(file); err != nil {
				return err
			}
			return runPlan(cmd, r, !noSensitivity, figure, asJSON)
		},
	}
	f := c.Flags()
	f.Var(&users, "users", "users, as in 250000, 80k, 100M or 1G")
	f.Float64Var(&perDay, "logins-per-day", perDay, "logins of a user on an average day")
	f.Float64Var(&r.PeakFactor, "peak-factor", 4, "the busiest moment's rate over the day's mean")
	f.Var(&places, "regions", "parts of the population with clocks of their own: name=weight@hours from UTC,…")
	f.DurationVar(&r.P99, "p99", 100*time.Millisecond, "promise: 99 of 100 accepted logins are not slower, all requests together")
	f.StringVar(&r.Backend, "backend", "", "backend, an `ID` of the calibration (default its first)")
	f.StringVar(&r.Store, "store", "", "store of the calibration (default redis, which several instances need)")
	f.BoolVar(&r.Batching, "batching", false, "verify logins in batches")
	f.Var(&bad, "bad", "share of logins with a wrong PIN, as in 2%")
	f.Var(&period, "permit-period", "how long time permits are good for, as in 1d; 0: none")
	f.Var(&published, "published", "share of second halves of permits that clients find in the storage")
	f.Var(&headroom, "headroom", "share of more logins with which the promise is still kept")
	f.IntVar(&r.Cores, "cores-per-instance", 4, "cores of an RPS instance")
	f.IntVar(&r.Spare, "spare", 1, "instances beyond those that keep the promise")
	f.Float64Var(&r.PricePerCoreHour, "price-per-core-hour", 0, "price of a core for an hour, in your currency")
	f.StringVar(&file, "calibration", "", "costs, a `FILE` of mpin capacity calibrate (default those recorded with this release)")
	f.BoolVar(&noSensitivity, "no-sensitivity", false, "leave out what would change with what")
	f.Var(&figure, "figure", "draw the sensitivity into `FILE`, SVG or PNG by its name")
	f.Uint64Var(&r.Seed, "seed", 1, "seed of the simulation")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// planOutput is the JSON of a plan.
type planOutput struct {
	Users        float64              `json:"users"`
	LoginsPerDay float64              `json:"logins_per_day"`
	PeakFactor   float64              `json:"peak_factor"`
	P99          float64              `json:"p99_promised_ms"`
	Bad          float64              `json:"bad_logins"`
	PermitDays   float64              `json:"permit_days"`
	Price        float64              `json:"price_per_core_hour"`
	Calibration  planCalibration      `json:"calibration"`
	Answer       *capacity.Answer     `json:"answer"`
	Sensitivity  []capacity.Variation `json:"sensitivity,omitempty"`
	Limits       []string             `json:"limits"`
}

type planCalibration struct {
	Created time.Time `json:"created"`
	Command string    `json:"command"`
	CPU     string    `json:"cpu"`
}

func provenance(c *capacity.Calibration) planCalibration {
	p := planCalibration{Created: c.Created, Command: c.Command}
	for _, s := range c.Environment {
		if s.Key == "cpu" {
			p.CPU = s.Value
		}
	}
	return p
}

func runPlan(cmd *cobra.Command, r capacity.Request, sensitivity bool, figure figureFile, asJSON bool) error {
	a, err := capacity.Plan(cmd.Context(), r)
	if errors.Is(err, capacity.ErrRequest) || errors.Is(err, capacity.ErrCalibration) || errors.Is(err, capacity.ErrProfile) {
		return misuse(err)
	}
	if err != nil {
		return finding(err)
	}
	out := planOutput{
		Users: r.Users, LoginsPerDay: r.LoginsPerDay, PeakFactor: r.PeakFactor, P99: r.P99.Seconds() * 1000, Bad: r.Bad,
		PermitDays: r.PermitPeriod.Hours() / 24, Price: r.PricePerCoreHour, Calibration: provenance(r.Calibration), Answer: a, Limits: capacity.Limits(),
	}
	if sensitivity {
		p := newProgress(cmd.ErrOrStderr(), "varying")
		out.Sensitivity, err = capacity.Sensitivity(cmd.Context(), r, p.update)
		p.finish()
		if err != nil {
			return finding(err)
		}
	}
	if figure.String() != "" {
		if !sensitivity {
			return misuse(&flagError{"figure", errors.New("it shows what --no-sensitivity leaves out")})
		}
		f, err := plots.CapacitySensitivity(fmt.Sprintf("%s users with %g logins a day, peak %g times the mean, p99 within %v.",
			count(r.Users), r.LoginsPerDay, r.PeakFactor, r.P99), out.Sensitivity)
		if err := writeFigure(figure, f, err); err != nil {
			return err
		}
	}
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), out)
	}
	return printPlan(cmd.OutOrStdout(), &out)
}

func printPlan(w io.Writer, p *planOutput) error {
	a := p.Answer
	verifier := "one by one"
	if a.Batching {
		verifier = fmt.Sprintf("in batches, %.1f logins on average", a.MeanBatch)
	}
	rows := [][]string{
		{"logins a second", fmt.Sprintf("%s on average, %s at the peak (%s UTC)", count(a.MeanRate), count(a.PeakRate), clock(a.PeakAt))},
		{"backend, store", a.Backend + ", " + a.Store + ", verified " + verifier},
		{"RPS", fmt.Sprintf("%d cores: %d instances of %d, %d of them spare", a.Cores, a.Instances, a.CoresPerInstance, a.Spare)},
		{"at the peak, without the spare", fmt.Sprintf("p50 %.1f ms, p99 %.1f ms (promised %g ms), %.0f %% of the cores in use", a.P50, a.P99, p.P99, 100*a.Utilization)},
		{"D-TAs", fmt.Sprintf("%s permits a day, %s a second at the peak: %d cores for each of two D-TAs", count(a.PermitsPerDay), count(a.PeakPermits), a.IssuerCores)},
		{"network at the peak", fmt.Sprintf("%.0f Mbit/s in, %.0f Mbit/s out", a.PeakIn, a.PeakOut)},
		{"store at the peak", count(a.StoreCalls) + " calls a second"},
	}
	if p.Price > 0 {
		rows = append(rows, []string{"cost", fmt.Sprintf("%.2f an hour, %s a month, %.3g a million logins", a.CostPerHour, count(a.CostPerMonth), a.CostPerMillionLogins)})
	}
	if err := table(w, []string{"SERVICE", ""}, rows); err != nil {
		return err
	}
	if len(p.Sensitivity) > 0 {
		fmt.Fprintln(w)
		rows = nil
		for _, v := range p.Sensitivity {
			mark := ""
			if v.Asked {
				mark = "as asked"
			}
			if v.Answer == nil {
				rows = append(rows, []string{v.What, v.Value, "—", "—", "—", v.Error})
				continue
			}
			rows = append(rows, []string{
				v.What, v.Value, strconv.Itoa(v.Answer.Cores), strconv.Itoa(2 * v.Answer.IssuerCores), fmt.Sprintf("%.1f", v.Answer.P99), mark,
			})
		}
		if err := table(w, []string{"IF", "IS", "RPS CORES", "D-TA CORES", "p99 ms", ""}, rows); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "\nCosts measured %s on %s (%s).\n", p.Calibration.Created.Format(time.DateOnly), p.Calibration.CPU, p.Calibration.Command)
	_, err := fmt.Fprintln(w, "Limits:\n- "+strings.Join(p.Limits, "\n- "))
	return finding(err)
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60)
}

// count prints a number with its thousands apart.
func count(x float64) string {
	if x < 100 {
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	s := strconv.FormatFloat(x, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
