package syncer

import (
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// A FieldTemplate is one field of the stored secret: its name, and its value
// with placeholders {client_id} {client_secret} {skill_id} {skill_uuid} {label}
// {instance}. A skill that lacks a label or a UUID has the empty string there.
type FieldTemplate struct {
	Name  string
	Value string
}

// DefaultFields is what is stored when the configuration names no fields.
var DefaultFields = []FieldTemplate{
	{Name: "client_id", Value: "{client_id}"},
	{Name: "client_secret", Value: "{client_secret}"},
}

func fill(fields []FieldTemplate, c credential.Credential, s sink.Subject) []sink.Field {
	uuid, _ := s.Skill.UUID()
	filled := make([]sink.Field, len(fields))
	for i, f := range fields {
		filled[i] = sink.Field{Name: f.Name, Value: c.Fill(f.Value,
			"{skill_id}", string(s.Skill), "{skill_uuid}", uuid, "{label}", s.Label, "{instance}", s.Instance)}
	}
	return filled
}
