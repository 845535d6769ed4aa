.PHONY: run test check lock bench fuzz chaos image-test sbom

run: ## set everything up and start the service
	@scripts/run

test: ## set everything up, lint, and run the tests: make test ARGS="-k upload"
	@scripts/test $(ARGS)

check: ## linters and types only
	@scripts/check

lock: ## write the lock files anew from requirements_*.in
	@scripts/lock

bench: ## measure: make bench ARGS="speed --pages 4"
	@scripts/bench $(ARGS)

fuzz: ## send broken PDFs to a service for a while: make fuzz ARGS="--minutes 20 --seed 7"
	@scripts/campaign fuzz $(ARGS)

chaos: ## break everything around a service at work: make chaos ARGS="--minutes 10 --seed 7"
	@scripts/campaign chaos $(ARGS)

image-test: ## build the container's CPU variant with buildah and try it (root, buildah, debootstrap)
	@scripts/image-test $(ARGS)

sbom: ## write the list of parts as sbom.cdx.json (CycloneDX)
	@scripts/sbom
