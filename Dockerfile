# The gateway as one image: the same for serve, worker, sync and db upgrade.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY providers providers
COPY schemas schemas
COPY config config
COPY docs docs
RUN python -m venv /opt/gateway \
    && /opt/gateway/bin/python -m pip install --no-cache-dir -c requirements.lock hatchling \
    && /opt/gateway/bin/python -m pip install --no-cache-dir -c requirements.lock --no-build-isolation '.[otel]' \
    && /opt/gateway/bin/python -m pip uninstall -y hatchling

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/esim-gateway --create-home gateway
COPY --from=build /opt/gateway /opt/gateway
ENV PATH=/opt/gateway/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GATEWAY_STATE_DIR=/var/lib/esim-gateway
USER 10001
WORKDIR /var/lib/esim-gateway
VOLUME /var/lib/esim-gateway
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/livez', timeout=2)"]
ENTRYPOINT ["esim-gateway"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
