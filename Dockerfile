# Spellwork in a small image: what builds the client and the wheel stays behind in the first stage.
#   docker build -t spellwork .      docker run -p 8765:8765 -v spellwork:/data spellwork

FROM python:3.13-slim AS install
WORKDIR /src
COPY . .
# There is no Node here: the wheel's build hook takes it from PyPI to build the client.
RUN python -m venv /opt/spellwork \
 && /opt/spellwork/bin/pip install --no-cache-dir .

FROM python:3.13-slim
# Namespaces for the workers, where the container may make them; Landlock and seccomp hold without.
RUN apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends bubblewrap \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home --home-dir /data --shell /usr/sbin/nologin spellwork
COPY --from=install /opt/spellwork /opt/spellwork
USER spellwork
WORKDIR /data
VOLUME /data
EXPOSE 8765
ENV PATH=/opt/spellwork/bin:$PATH PYTHONUNBUFFERED=1
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s CMD \
  ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8765/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
CMD ["spellwork", "serve", "--host", "0.0.0.0", "--port", "8765", "--data", "/data"]
