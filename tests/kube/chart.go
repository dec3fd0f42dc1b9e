// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// What "helm template" makes of our chart, by Go's own templates: a check on
// tests/sandbox/manifests.py, which does the same without Go.
//
// usage: chart DIRECTORY SERVER
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"sigs.k8s.io/yaml"
)

func toYaml(value interface{}) (string, error) {
	text, err := yaml.Marshal(value)
	return strings.TrimSuffix(string(text), "\n"), err
}

func nindent(width int, text string) string {
	pad := "\n" + strings.Repeat(" ", width)
	return pad + strings.ReplaceAll(text, "\n", pad)
}

func orDefault(other, value interface{}) interface{} {
	if value == nil || value == "" {
		return other
	}
	return value
}

func required(message string, value interface{}) (interface{}, error) {
	if value == nil || value == "" {
		return nil, errors.New(message)
	}
	return value, nil
}

var functions = template.FuncMap{
	"toYaml":   toYaml,
	"nindent":  nindent,
	"quote":    func(v interface{}) string { return fmt.Sprintf("%q", fmt.Sprint(v)) },
	"default":  orDefault,
	"required": required,
}

func read(path string, value interface{}) {
	text, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(text, value)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	var values map[string]interface{}
	var about struct{ Name, AppVersion string }
	directory := os.Args[1]

	read(filepath.Join(directory, "Chart.yaml"), &about)
	read(filepath.Join(directory, "values.yaml"), &values)
	values["server"].(map[string]interface{})["host"] = os.Args[2]
	top := map[string]interface{}{
		"Values": values,
		"Release": map[string]string{
			"Name": "fairlead", "Namespace": "kube-system"},
		"Chart": map[string]string{
			"Name": about.Name, "AppVersion": about.AppVersion},
	}
	for _, name := range []string{"configmap", "rbac", "daemonset"} {
		file := filepath.Join(directory, "templates", name+".yaml")
		t, err := template.New(name + ".yaml").Funcs(functions).
			Option("missingkey=error").ParseFiles(file)
		if err == nil {
			fmt.Println("---")
			err = t.Execute(os.Stdout, top)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}
