{{/* Labels of everything in the chart. */}}
{{- define "drumbeat.labels" -}}
app.kubernetes.io/name: drumbeat
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* The name of a service's objects: no underscores in DNS. Takes (dict "root" $ "service" "rules_engine"). */}}
{{- define "drumbeat.name" -}}
{{- printf "%s-%s" .root.Release.Name (replace "_" "-" .service) | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "drumbeat.selector" -}}
app.kubernetes.io/name: drumbeat
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .service }}
{{- end -}}

{{- define "drumbeat.port" -}}
{{- get (dict "console" "8000" "rules_engine" "8001" "scheduler" "8002" "notifier" "8003") . -}}
{{- end -}}

{{- define "drumbeat.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* What a pod of the services and the migration have in common. */}}
{{- define "drumbeat.pod" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: keys
    secret: {secretName: {{ .Values.keysSecret }}, defaultMode: 0440}
  - name: tmp
    emptyDir: {medium: Memory, sizeLimit: 64Mi}
{{- if .Values.policyConfigMap }}
  - name: policy
    configMap: {name: {{ .Values.policyConfigMap }}}
{{- end }}
{{- if .Values.kafka.caSecret }}
  - name: kafka-ca
    secret: {secretName: {{ .Values.kafka.caSecret }}}
{{- end }}
{{- if .Values.database.caSecret }}
  - name: database-ca
    secret: {secretName: {{ .Values.database.caSecret }}}
{{- end }}
{{- end -}}

{{- define "drumbeat.container" -}}
image: {{ include "drumbeat.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
envFrom:
  - configMapRef: {name: {{ .Release.Name }}-settings}
  - secretRef: {name: {{ .Values.settingsSecret }}}
volumeMounts:
  - {name: keys, mountPath: /keys, readOnly: true}
  - {name: tmp, mountPath: /tmp}
{{- if .Values.policyConfigMap }}
  - {name: policy, mountPath: /policy, readOnly: true}
{{- end }}
{{- if .Values.kafka.caSecret }}
  - {name: kafka-ca, mountPath: /kafka-ca, readOnly: true}
{{- end }}
{{- if .Values.database.caSecret }}
  - {name: database-ca, mountPath: /database-ca, readOnly: true}
{{- end }}
{{- end -}}

{{/* The settings of a release, as the data of its config map. */}}
{{- define "drumbeat.settings" -}}
DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS: {{ .Values.kafka.bootstrapServers | quote }}
DRUMBEAT_KAFKA__PARTITIONS: {{ .Values.kafka.partitions | quote }}
DRUMBEAT_KAFKA__REPLICATION_FACTOR: {{ .Values.kafka.replicationFactor | quote }}
DRUMBEAT_KAFKA__SECURITY_PROTOCOL: {{ .Values.kafka.securityProtocol | quote }}
{{- with .Values.kafka.saslMechanism }}
DRUMBEAT_KAFKA__SASL_MECHANISM: {{ . | quote }}
DRUMBEAT_KAFKA__SASL_USERNAME: {{ $.Values.kafka.saslUsername | quote }}
{{- end }}
{{- if .Values.kafka.caSecret }}
DRUMBEAT_KAFKA__SSL_CA_FILE: /kafka-ca/ca.crt
{{- end }}
DRUMBEAT_API_KEY_FILE: /keys/api-key
DRUMBEAT_SECRETS_KEY_FILE: /keys/secrets-key
DRUMBEAT_ADDRESS_KEY_FILE: /keys/address-key
{{- range $service, $_ := .Values.services }}
{{- if ne $service "console" }}
DRUMBEAT_{{ upper $service }}__URL: http://{{ include "drumbeat.name" (dict "root" $ "service" $service) }}:{{ include "drumbeat.port" $service }}
{{- end }}
{{- end }}
{{- if .Values.policyConfigMap }}
DRUMBEAT_POLICY: /policy
{{- end }}
{{- range $name, $value := .Values.settings }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end -}}
