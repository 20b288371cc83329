'use strict';
// The package's entry: see js/index.js.

module.exports = require('./js');
