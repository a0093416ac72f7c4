//go:build tools

// Package tools pins the Pulumi command line that the engine tests run.
//
// It is a module of its own because `go install pkg@version` refuses a module with a replace line, as Pulumi's is.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
