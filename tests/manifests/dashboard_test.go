package manifests

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// TestDashboard reads the dashboard with Grafana's own types, panels and queries included.
func TestDashboard(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	text, err := os.ReadFile(filepath.Join(deploy, "grafana/dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var read dashboard.Dashboard
	// no complaint comes as a list without entries, which is not nil
	if err := read.UnmarshalJSONStrict(text); err != nil && err.Error() != "" {
		t.Fatal(err)
	}
	if len(read.Panels) < 30 {
		t.Errorf("%d panels", len(read.Panels))
	}
}
