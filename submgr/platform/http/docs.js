// SPDX-License-Identifier: Apache-2.0
// Starts Swagger UI with the documents that the page names. Nothing is asked of any other host: no validator, no fonts.
const place = document.getElementById("swagger-ui");
SwaggerUIBundle({
  dom_id: "#swagger-ui",
  urls: JSON.parse(place.dataset.documents),
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  // its picture has a style in the page, which the policy does not allow
  plugins: [() => ({ components: { Logo: () => null } })],
  layout: "StandaloneLayout",
  validatorUrl: null,
  deepLinking: true,
});
