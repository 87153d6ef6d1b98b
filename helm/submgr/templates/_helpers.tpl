{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{- define "submgr.namespace" -}}
{{- dig "namespace" "platform" "" (.Values.common | default dict) | default "ricplt" -}}
{{- end }}

{{/* <namespace>-submgr: what comes after deployment-, service- and so on in the platform's names */}}
{{- define "submgr.fullname" -}}
{{- include "submgr.namespace" . }}-submgr
{{- end }}

{{- define "submgr.labels" -}}
app: {{ include "submgr.fullname" . }}
chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
release: {{ .Release.Name }}
heritage: {{ .Release.Service }}
app.kubernetes.io/name: submgr
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: near-rt-ric
{{- end }}

{{/* What the Deployment that is replaced selects by; a selector can never be changed. */}}
{{- define "submgr.selector" -}}
app: {{ include "submgr.fullname" . }}
release: {{ .Release.Name }}
{{- end }}

{{- define "submgr.image" -}}
{{- $image := .Values.submgr.image -}}
{{- $registry := $image.registry | default (dig "localregistry" "" (.Values.common | default dict)) -}}
{{- with $registry }}{{ . }}/{{ end }}{{ $image.name }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "submgr.debugSecret" -}}
{{- .Values.submgr.debug.existingSecret | default (printf "secret-%s-debug" (include "submgr.fullname" .)) -}}
{{- end }}

{{/* Who is asked for the route table at the start: the Routing Manager's RMR service. Its port 4561 refuses. */}}
{{- define "submgr.routeManager" -}}
{{- $http := .Values.submgr.config.rtmgr.hostAddr | default (printf "service-%s-rtmgr-http" (include "submgr.namespace" .)) -}}
{{- .Values.submgr.routeManager | default (printf "%s:4560" (replace "-http" "-rmr" $http)) -}}
{{- end }}

{{/* The configuration file as a dict. */}}
{{- define "submgr.config" -}}
{{- $config := deepCopy .Values.submgr.config -}}
{{- $_ := set $config "subscription" (merge (dict "host" ":8088") $config.subscription) -}}
{{- $_ := set $config "local" (dict "host" ":8080") -}}
{{- $_ := set $config "rmr" (merge (dict "protPort" "tcp:4560") $config.rmr) -}}
{{- if not $config.rtmgr.hostAddr }}
{{- $_ := set $config.rtmgr "hostAddr" (printf "service-%s-rtmgr-http" (include "submgr.namespace" .)) -}}
{{- end }}
{{- $_ := set $config "sdl" (dict "backend" "redis") -}}
{{- $_ := set $config "debug" (pick .Values.submgr.debug "write" "strictOctets") -}}
{{- with .Values.submgr.mec }}
{{- if .enabled }}
{{- $mec := omit . "data" "service" "from" "meo" "serviceAccount" -}}
{{- $_ := set $mec "host" ":8000" -}}
{{- if .data.secret }}{{ $_ := set $mec "dataFile" "/mec/data.json" }}{{ end -}}
{{- $_ := set $config "mec" $mec -}}
{{- with .meo }}{{ $_ := set $config "meo" . }}{{ end -}}
{{- end }}
{{- end }}
{{- toYaml $config -}}
{{- end }}

{{/* Changes restart the pod. Level, controls, outbound and orchestrator, but for its seed, apply to the running one. */}}
{{- define "submgr.restartsWith" -}}
{{- $config := include "submgr.config" . | fromYaml -}}
{{- $seed := get (get $config "meo" | default dict) "seed" -}}
{{- $config = omit $config "logger" "controls" "outbound" "meo" -}}
{{- toYaml (dict "config" $config "seed" $seed "routes" .Values.submgr.seedRoutes) | sha256sum -}}
{{- end }}

{{/* A rule file or dashboard with the metrics' names as this installation has them: (list root "files/NAME") */}}
{{- define "submgr.metricNames" -}}
{{- $root := index . 0 -}}
{{- $text := $root.Files.Get (index . 1) -}}
{{- with $root.Values.submgr.config.metrics.namespace -}}
{{- $text = regexReplaceAll "\\b(SUBMGR_|RMR_(Trans|Rec|Enq|Drop|Send))" $text (printf "%s_${1}" .) -}}
{{- end -}}
{{- $text -}}
{{- end }}

{{/* NetworkPolicyPeers for a list of namespaces */}}
{{- define "submgr.namespaces" -}}
- namespaceSelector:
    matchExpressions:
      - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson (uniq .) }}}
{{- end }}
